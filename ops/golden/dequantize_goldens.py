"""Golden floats of quantized blocks by PyPI's gguf (quants.py).

    python dequantize_goldens.py MODEL.gguf OUT.json

Per type, seeded random blocks with all nibbles and scales of every size, subnormal and largest ones included, and no NaN or infinity; the
floats are kept as little-endian bits. For F16 and BF16 also the SHA-256 of all finite values. Of MODEL.gguf, the SHA-256 of some
tensors' floats.
"""

import base64
import hashlib
import importlib.metadata
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

import judge

BLOCKS = 64
SCALES = np.array([0.0, -0.0, 6e-8, -6e-8, 5.96e-6, 6.1e-5, 6.1035e-5, 1e-3, -0.0123, 0.5, -1.0, 3.14159, 100.0, -2048.0, 65504.0, -65504.0], np.float16)
TENSORS = ["output_norm.weight", "blk.0.attn_q.weight", "blk.13.ffn_gate.weight", "blk.29.ffn_down.weight", "token_embd.weight"]


def blocks(kind, random):
    """Raw blocks [BLOCKS, bytes] whose f16 scales are finite."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    raw = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for place in range(2 if kind == T.Q4_1 else 1):
        scales = np.where(np.arange(BLOCKS) % 2 == 0, random.choice(SCALES, BLOCKS), (random.standard_normal(BLOCKS) * 0.1).astype(np.float16))
        raw[:, 2 * place:2 * place + 2] = scales.astype("<f2").view(np.uint8).reshape(BLOCKS, 2)
    return raw


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values, "<f4").tobytes()).hexdigest()


def finite_halves(kind):
    bits = np.arange(65536, dtype="<u2")
    exponent = (bits >> 10 & 0x1F) == 0x1F if kind == T.F16 else (bits >> 7 & 0xFF) == 0xFF
    return bits[~exponent]


def main(model, out):
    random = np.random.default_rng(20261124)
    rows = []
    for kind in (T.Q4_0, T.Q4_1, T.Q8_0):
        raw = blocks(kind, random)
        floats = gguf.quants.dequantize(raw, kind).astype("<f4")
        assert np.isfinite(floats).all()
        rows.append({"type": kind.name, "blocks": base64.b64encode(raw.tobytes()).decode(), "floats": base64.b64encode(floats.tobytes()).decode()})
    digests = {}
    for kind in (T.F16, T.BF16):
        bits = finite_halves(kind)
        raw = bits.view(np.float16) if kind == T.F16 else bits.view(np.uint8).reshape(1, -1)
        digests[kind.name] = digest(gguf.quants.dequantize(raw, kind))
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(model).tensors}
    document = {
        "judge": "gguf " + importlib.metadata.version("gguf"),
        "all_finite_sha256": digests,
        "tensor_sha256": {name: digest(gguf.quants.dequantize(tensors[name].data, tensors[name].tensor_type)) for name in TENSORS},
        "types": rows,
    }
    judge.write(out, document, "types")


if __name__ == "__main__":
    main(*sys.argv[1:])
