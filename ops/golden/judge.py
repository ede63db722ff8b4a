"""llama.cpp, as shipped by PyPI's llama-cpp-python, behind the few calls that the golden scripts need."""

import ctypes
import importlib.metadata
import json

import gguf
import llama_cpp
import numpy as np

NAME = "llama.cpp of llama-cpp-python " + importlib.metadata.version("llama-cpp-python")


@llama_cpp.llama_log_callback
def _quiet(level, text, data):
    if level == 4:  # an error
        print(text.decode(errors="replace"), end="")


llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()

F32, F16 = 0, 1  # ggml type ids, for the KV cache


class Judge:
    """One model. Computes on two threads, without flash attention."""

    def __init__(self, path, vocab_only=False):
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 0
        params.vocab_only = vocab_only
        if hasattr(params, "use_extra_bufts"):
            params.use_extra_bufts = False  # no repacked kernels
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self.model:
            raise SystemExit(f"llama.cpp does not load {path}")
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.vocab_size = llama_cpp.llama_vocab_n_tokens(self.vocab)

    def tokenize(self, text, parse_special, add_special=False):
        data = text if isinstance(text, bytes) else text.encode()
        room = 2 * len(data) + 16
        ids = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self.vocab, data, len(data), ids, room, add_special, parse_special)
        if count < 0:
            raise SystemExit(f"llama_tokenize: {count} for {text!r}")
        return list(ids[:count])

    def piece(self, token):
        """The bytes of one token, special tokens included."""
        buffer = ctypes.create_string_buffer(4096)
        count = llama_cpp.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, True)
        if count < 0:
            raise SystemExit(f"llama_token_to_piece: {count} for {token}")
        return buffer.raw[:count]

    def is_end(self, token):
        return bool(llama_cpp.llama_vocab_is_eog(self.vocab, token))

    def context(self, context_length, kv_type):
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = context_length
        params.n_batch = params.n_ubatch = context_length
        params.n_threads = params.n_threads_batch = 2
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.type_k = params.type_v = kv_type
        context = llama_cpp.llama_init_from_model(self.model, params)
        if not context:
            raise SystemExit("llama.cpp makes no context")
        return context

    def greedy(self, prompt, steps, kv_type=F32):
        """Yields the logits [vocab] after the prompt, then after each greedily chosen token, `steps` times in all."""
        context = self.context(len(prompt) + steps, kv_type)
        try:
            tokens = list(prompt)
            for _ in range(steps):
                array = (llama_cpp.llama_token * len(tokens))(*tokens)
                if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(array, len(tokens))) != 0:
                    raise SystemExit("llama_decode failed")
                row = llama_cpp.llama_get_logits_ith(context, -1)
                logits = np.ctypeslib.as_array(row, shape=(self.vocab_size,)).copy()
                yield logits
                tokens = [int(np.argmax(logits))]
        finally:
            llama_cpp.llama_free(context)


def dequantize(source, target):
    """Writes the model again with every tensor as F32 and the same metadata."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.get_field("general.architecture").contents())
    skip = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture", "general.file_type",
            "general.quantization_version"}
    for key, field in reader.fields.items():
        if key not in skip:
            sub_type = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), field.types[0], sub_type)
    writer.add_uint32("general.file_type", 0)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def continuation(judge, prompt, steps, kv_type=F32):
    """Greedy tokens and, at each step, how far the best logit is above the second; and the first step's logits."""
    tokens, margins, first = [], [], None
    for logits in judge.greedy(prompt, steps, kv_type):
        first = logits if first is None else first
        second, best = np.partition(logits, -2)[-2:]
        tokens.append(int(np.argmax(logits)))
        margins.append(round(float(best - second), 4))
    return tokens, margins, first


def first_step(logits, random, sampled):
    """What a golden file keeps of one step's logits: the 20 best, `sampled` others drawn evenly, and log(sum(exp))."""
    top = [int(i) for i in np.argsort(-logits, kind="stable")[:20]]
    others = sorted(int(i) for i in random.choice(len(logits), size=sampled, replace=False))
    peak = float(logits.max())
    lse = peak + float(np.log(np.exp(logits.astype(np.float64) - peak).sum()))
    pick = lambda ids: [[i, round(float(logits[i]), 5)] for i in ids]
    return {"top": pick(top), "sampled": pick(others), "log_sum_exp": round(lse, 5)}


def write(path, document, rows):
    """JSON with one line per element of `document[rows]`, so that diffs stay readable."""
    head = {key: value for key, value in document.items() if key != rows}
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps(head, ensure_ascii=True, indent=1)[:-2] + f',\n "{rows}": [\n')
        lines = (json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in document[rows])
        out.write(",\n".join(lines))
        out.write("\n]}\n")
