"""Golden token ids by llama.cpp.

    python tokenizer_goldens.py MODEL.gguf OUT_DIR

smollm2-tokenizer.json: the real vocabulary of SmolLM2. Per text the ids with special tokens parsed, and, where they differ, as text;
and the bytes of every token that occurs, for decoding.

splits.gguf and splits-tokenizer.json: one small vocabulary under every pre-tokenizer. Its merges are learnt across word bounds, so that
every cut that a pre-tokenizer makes, or misses, shows in the ids.

spm.gguf and spm-tokenizer.json: a small SentencePiece vocabulary, with and without a space before texts.
"""

import collections
import json
import pathlib
import sys
import tempfile

import gguf

import judge
import texts
import tiny_model

PRE_TOKENIZERS = [
    "default", "gpt-2", "smollm", "falcon", "llama-bpe", "dbrx", "qwen2", "qwen35", "tekken", "gpt-4o", "deepseek-v3", "deepseek-coder",
    "seed-coder", "glm4",
]


def smollm2(model, out):
    tokenizer = judge.Judge(model, vocab_only=True)
    rows, used = [], set()
    for text in [*texts.WRITTEN, *texts.SPECIALS, *texts.seeded(1, 220, 60), *texts.garbled(2, 60)]:
        row = {"text": text, "ids": tokenizer.tokenize(text, parse_special=True)}
        plain = tokenizer.tokenize(text, parse_special=False)
        if plain != row["ids"]:
            row["as_text"] = plain
        used.update(row["ids"], plain)
        rows.append(row)
    document = {
        "judge": judge.NAME,
        "end_tokens": [i for i in range(tokenizer.vocab_size) if tokenizer.is_end(i)],
        "pieces": {str(token): tokenizer.piece(token).hex() for token in sorted(used)},
        "texts": rows,
    }
    judge.write(out, document, "texts")
    print(out, len(rows), "texts")


def learn_merges(sequences, count):
    """Plain BPE over whole texts, without pieces."""
    merges = []
    while len(merges) < count:
        pairs = collections.Counter(pair for sequence in sequences for pair in zip(sequence, sequence[1:]))
        (left, right), times = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        if times < 2:
            break
        merges.append((left, right))
        for sequence in sequences:
            at = 0
            while at + 1 < len(sequence):
                if sequence[at] == left and sequence[at + 1] == right:
                    sequence[at:at + 2] = [left + right]
                at += 1
    return merges


def start(path, vocab_size):
    """A file that llama.cpp takes for its vocabulary alone."""
    out = gguf.GGUFWriter(path, "llama")
    out.add_vocab_size(vocab_size)
    out.add_context_length(512)
    out.add_embedding_length(32)
    out.add_feed_forward_length(32)
    out.add_block_count(1)
    out.add_head_count(1)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(32)
    return out


def finish(out):
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def write_vocabulary(path, pre, merges):
    tokens = tiny_model.byte_tokens() + sorted({left + right for left, right in merges})
    types = [1] * len(tokens)
    for text, kind in (("<s>", 3), ("</s>", 3), ("<tool>", 4), ("  <sp>", 4), ("<unk>", 2)):
        tokens.append(text)
        types.append(kind)
    out = start(path, len(tokens))
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre(pre)
    out.add_token_list(tokens)
    out.add_token_types(types)
    out.add_token_merges([f"{left} {right}" for left, right in merges])
    out.add_bos_token_id(tokens.index("<s>"))
    out.add_eos_token_id(tokens.index("</s>"))
    finish(out)


def splits(out_dir):
    sample = [*texts.WRITTEN, *texts.seeded(3, 60, 30)]
    alphabet = tiny_model.byte_tokens()
    merges = learn_merges([[alphabet[b] for b in text.encode()] for text in sample for _ in range(2)], 900)
    sample += ["<s>a</s>", "a<tool>b", "x  <sp>y", "<tool><tool>", "<unk>", "<s><tool></s>"]
    write_vocabulary(out_dir / "splits.gguf", "default", merges)
    rows = [{"text": text} for text in sample]
    with tempfile.TemporaryDirectory() as temporary:
        for pre in PRE_TOKENIZERS:
            path = pathlib.Path(temporary) / f"{pre}.gguf"
            write_vocabulary(path, pre, merges)
            tokenizer = judge.Judge(path, vocab_only=True)
            for row in rows:
                row[pre] = tokenizer.tokenize(row["text"], parse_special=True)
                plain = tokenizer.tokenize(row["text"], parse_special=False)
                if plain != row[pre]:
                    row["as_text"] = plain if pre == "default" else row["as_text"]
    for row in rows:
        groups = collections.defaultdict(list)
        for pre in PRE_TOKENIZERS:
            groups[json.dumps(row.pop(pre))].append(pre)
        row["ids"] = [{"pre": pres, "ids": json.loads(ids)} for ids, pres in groups.items()]
    judge.write(out_dir / "splits-tokenizer.json", {"judge": judge.NAME, "pre_tokenizers": PRE_TOKENIZERS, "texts": rows}, "texts")
    different = sum(len(row["ids"]) > 1 for row in rows)
    print("splits:", len(rows), "texts,", different, "of them cut differently by different pre-tokenizers;", len(merges), "merges")


def write_sentence_pieces(path, corpus, merges, add_space_prefix):
    """Scores fall with the merge's rank, two by two, so that ties occur; characters score 0 as byte tokens do."""
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)] + [(f"<0x{b:02X}>", 0.0, 6) for b in range(256)]
    pieces += [("<tool>", 0.0, 4), ("\n\n", 0.0, 4)]
    seen = {text for text, _, _ in pieces} | {"\0"}
    for rank, (left, right) in enumerate(merges):
        if left + right not in seen and "\0" not in left + right:  # the judge reads tokens as C strings
            seen.add(left + right)
            pieces.append((left + right, -float(rank // 2), 1))
    # a third of all characters stay out, so that byte tokens are needed
    for character in sorted({c for text in corpus for c in text if ord(c) % 3} - seen):
        pieces.append((character, -float(len(merges)), 1))
    out = start(path, len(pieces))
    out.add_tokenizer_model("llama")
    out.add_token_list([text for text, _, _ in pieces])
    out.add_token_scores([score for _, score, _ in pieces])
    out.add_token_types([kind for _, _, kind in pieces])
    out.add_add_space_prefix(add_space_prefix)
    finish(out)


def sentence_pieces(out_dir):
    corpus = [text.replace(" ", "▁") for text in [*texts.WRITTEN, *texts.seeded(4, 60, 30)]]
    merges = learn_merges([list(text) for text in corpus for _ in range(2)], 700)
    sample = [*texts.WRITTEN, *texts.seeded(4, 60, 30), *texts.seeded(5, 60, 40), "<s>a</s> b", "a<tool>b", "a\n\nb\n\n\nc", "<unk>", "▁a ▁", "<0x41>"]
    write_sentence_pieces(out_dir / "spm.gguf", corpus, merges, True)
    rows, used = [{"text": text} for text in sample], set()
    with tempfile.TemporaryDirectory() as temporary:
        for name, prefix in (("with_prefix", True), ("without_prefix", False)):
            path = pathlib.Path(temporary) / f"{name}.gguf"
            write_sentence_pieces(path, corpus, merges, prefix)
            tokenizer = judge.Judge(path, vocab_only=True)
            for row in rows:
                row[name] = tokenizer.tokenize(row["text"], parse_special=True)
                used.update(row[name])
    document = {
        "judge": judge.NAME,
        "end_tokens": [i for i in range(tokenizer.vocab_size) if tokenizer.is_end(i)],
        "pieces": {str(token): tokenizer.piece(token).hex() for token in sorted(used)},
        "texts": rows,
    }
    judge.write(out_dir / "spm-tokenizer.json", document, "texts")
    print("spm:", len(rows), "texts;", len(merges), "merges")


if __name__ == "__main__":
    smollm2(sys.argv[1], pathlib.Path(sys.argv[2]) / "smollm2-tokenizer.json")
    splits(pathlib.Path(sys.argv[2]))
    sentence_pieces(pathlib.Path(sys.argv[2]))
