"""Two tiny llama models with random weights, for what SmolLM2 does not have, and their golden continuations.

    python tiny_model.py OUT_DIR

tiny-a: untied output, biases of attention, rope_freqs (as Llama 3.1 has), heads of 24 that do not make up the hidden size, 4 heads on
2 KV heads, every readable tensor type. tiny-b: tied output, linear RoPE scaling, 8 heads on 2 KV heads, no biases.
The judge computes on the same weights dequantized to F32 (see model_goldens.py).
"""

import importlib.metadata
import pathlib
import sys
import tempfile

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

import judge

STEPS = 32
VOCAB = 320


def byte_tokens():
    """The 256 characters by which byte-level BPE writes bytes, in byte order."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(others)) for b in range(256)]


def vocabulary():
    tokens, merges = byte_tokens(), []
    for pair in ("Ġ t", "h e", "i n", "Ġt he", "e r", "Ġ a", "o n", "r e", "Ġ s", "a t", "e n", "Ġ w", "o r", "Ġ o", "i t", "a n", "i s",
                 "in g", "Ġ c", "o u", "e s", "Ġ f", "Ġ b", "Ġo f", "e d", "Ġ p", "a l", "Ġa n", "Ġ Ġ", "Ċ Ċ", "1 2", "12 3", "' s"):
        merges.append(pair)
        tokens.append(pair.replace(" ", ""))
    specials = ["<|begin|>", "<|end|>", "<|im_start|>", "<|im_end|>"]
    types = [1] * len(tokens) + [3] * len(specials)
    tokens += specials
    while len(tokens) < VOCAB:
        tokens.append(f"<unused{len(tokens)}>")
        types.append(5)
    return tokens, types, merges


class TinyModel:
    def __init__(self, path, seed, hidden, heads, kv_heads, head_size, feed_forward, rope_base, pre):
        self.random = np.random.default_rng(seed)
        self.hidden, self.heads, self.kv_heads, self.head_size, self.feed_forward = hidden, heads, kv_heads, head_size, feed_forward
        out = self.out = gguf.GGUFWriter(path, "llama")
        out.add_name("tiny")
        out.add_block_count(2)
        out.add_context_length(512)
        out.add_embedding_length(hidden)
        out.add_feed_forward_length(feed_forward)
        out.add_head_count(heads)
        out.add_head_count_kv(kv_heads)
        out.add_key_length(head_size)
        out.add_value_length(head_size)
        out.add_rope_dimension_count(head_size)
        out.add_rope_freq_base(rope_base)
        out.add_layer_norm_rms_eps(1e-5)
        out.add_vocab_size(VOCAB)
        tokens, types, merges = vocabulary()
        out.add_tokenizer_model("gpt2")
        out.add_tokenizer_pre(pre)
        out.add_token_list(tokens)
        out.add_token_types(types)
        out.add_token_merges(merges)
        out.add_bos_token_id(tokens.index("<|begin|>"))
        out.add_eos_token_id(tokens.index("<|im_end|>"))

    def tensor(self, name, kind, *shape, scale=1.0, mean=0.0):
        values = (self.random.standard_normal(shape) * scale + mean).astype(np.float32)
        self.out.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)

    def layer(self, i, kinds, biases):
        width, kv_width = self.heads * self.head_size, self.kv_heads * self.head_size
        inner = 1 / np.sqrt(self.hidden)
        self.tensor(f"blk.{i}.attn_norm.weight", T.F32, self.hidden, scale=0.1, mean=1)
        self.tensor(f"blk.{i}.attn_q.weight", kinds[0], width, self.hidden, scale=2 * inner)
        self.tensor(f"blk.{i}.attn_k.weight", kinds[1], kv_width, self.hidden, scale=2 * inner)
        self.tensor(f"blk.{i}.attn_v.weight", kinds[2], kv_width, self.hidden, scale=inner)
        self.tensor(f"blk.{i}.attn_output.weight", kinds[3], self.hidden, width, scale=1 / np.sqrt(width))
        self.tensor(f"blk.{i}.ffn_norm.weight", T.F32, self.hidden, scale=0.1, mean=1)
        self.tensor(f"blk.{i}.ffn_gate.weight", kinds[4], self.feed_forward, self.hidden, scale=inner)
        self.tensor(f"blk.{i}.ffn_up.weight", kinds[5], self.feed_forward, self.hidden, scale=inner)
        self.tensor(f"blk.{i}.ffn_down.weight", kinds[6], self.hidden, self.feed_forward, scale=1 / np.sqrt(self.feed_forward))
        for name, size in (("attn_q", width), ("attn_k", kv_width), ("attn_v", kv_width), ("attn_output", self.hidden)):
            if biases:
                self.tensor(f"blk.{i}.{name}.bias", T.F32, size, scale=0.2)

    def close(self):
        self.out.write_header_to_file()
        self.out.write_kv_data_to_file()
        self.out.write_tensors_to_file()
        self.out.close()


def write_a(path):
    model = TinyModel(path, 1, hidden=64, heads=4, kv_heads=2, head_size=24, feed_forward=96, rope_base=500000.0, pre="llama-bpe")
    model.out.add_add_bos_token(True)
    model.tensor("token_embd.weight", T.F16, VOCAB, 64)
    model.layer(0, (T.Q4_0, T.F16, T.BF16, T.F32, T.Q4_1, T.Q8_0, T.Q4_0), biases=True)
    model.layer(1, (T.Q8_0, T.Q4_1, T.F16, T.BF16, T.Q4_0, T.F32, T.Q8_0), biases=True)
    model.tensor("output_norm.weight", T.F32, 64, scale=0.1, mean=1)
    model.tensor("output.weight", T.Q8_0, VOCAB, 64, scale=0.4)
    model.out.add_tensor("rope_freqs.weight", np.array([1, 1, 1, 1, 1.5, 2, 3, 5, 8, 8, 8, 8], np.float32))
    model.close()


def write_b(path):
    model = TinyModel(path, 2, hidden=96, heads=8, kv_heads=2, head_size=16, feed_forward=128, rope_base=10000.0, pre="qwen2")
    model.out.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    model.out.add_rope_scaling_factor(4.0)
    model.tensor("token_embd.weight", T.Q4_1, VOCAB, 96, scale=0.3)
    model.layer(0, (T.Q4_1,) * 7, biases=False)
    model.layer(1, (T.Q4_0, T.Q4_0, T.Q8_0, T.F16, T.Q4_1, T.Q4_1, T.BF16), biases=False)
    model.tensor("output_norm.weight", T.F32, 96, scale=0.1, mean=1)
    model.close()


def goldens(path, out):
    random = np.random.default_rng(7)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        f32 = pathlib.Path(temporary) / "f32.gguf"
        judge.dequantize(path, f32)
        exact = judge.Judge(f32)
        for length in (1, 2, 7, 33, 64, 150, 300):
            prompt = [int(token) for token in random.integers(0, VOCAB, length)]
            tokens, margins, logits = judge.continuation(exact, prompt, STEPS)
            _, _, half = judge.continuation(exact, prompt, 1, judge.F16)
            row = {"name": f"{length} tokens", "prompt": prompt, "tokens": tokens, "margins": margins}
            row |= judge.first_step(logits, random, 64)
            row["f16_kv_moves"] = round(float(np.abs(half - logits).max()), 4)
            rows.append(row)
            print(path.name, length, tokens[:8], min(margins), row["f16_kv_moves"])
    document = {
        "judge": judge.NAME,
        "weights": "F32, dequantized by gguf " + importlib.metadata.version("gguf") + "; KV cache F32; no flash attention",
        "near_tie_margin": 0.05,
        "prompts": rows,
    }
    judge.write(out, document, "prompts")


if __name__ == "__main__":
    directory = pathlib.Path(sys.argv[1])
    for name, write in (("tiny-a", write_a), ("tiny-b", write_b)):
        write(directory / f"{name}.gguf")
        goldens(directory / f"{name}.gguf", directory / f"{name}-model.json")
