"""Writes a GGUF file of the llama architecture, with a byte-level BPE tokenizer, as safetensors in single precision as vLLM reads them.

gguf_to_safetensors.py FILE FOLDER
"""

import os
import sys

import gguf
import torch
from tokenizers import decoders
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

file, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
source = {"pretrained_model_name_or_path": os.path.dirname(file), "gguf_file": os.path.basename(file)}
AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32).save_pretrained(folder)

fields = gguf.GGUFReader(file).fields
if fields["tokenizer.ggml.model"].contents() != "gpt2":
    sys.exit("tokenizer.ggml.model=%s, expected=gpt2" % fields["tokenizer.ggml.model"].contents())
if "tokenizer.ggml.add_bos_token" in fields and fields["tokenizer.ggml.add_bos_token"].contents():
    sys.exit("tokenizer.ggml.add_bos_token=true, expected=false")
# the library takes every llama for one of SentencePiece's: a BOS before each prompt, and a decoder that a grammar cannot follow
tokenizer = AutoTokenizer.from_pretrained(**source)
backend = tokenizer.backend_tokenizer
backend.post_processor = None
backend.decoder = decoders.ByteLevel()
PreTrainedTokenizerFast(
    tokenizer_object=backend,
    bos_token=tokenizer.bos_token,
    eos_token=tokenizer.eos_token,
    unk_token=tokenizer.unk_token,
    chat_template=tokenizer.chat_template,
).save_pretrained(folder)
