"""Golden continuations and logits of SmolLM2-135M-Instruct.

    python model_goldens.py MODEL.gguf F32.gguf OUT.json

MODEL.gguf is the shipped Q4_1 file. F32.gguf is written where it does not exist: the same model, dequantized by PyPI's gguf,
so that llama.cpp computes with exactly the weights in the file, in f32, as Millrace does. (From quantized weights it computes
with activations rounded to 8 bits; those continuations are kept as a cross reference.)

For each prompt, given as token ids: 48 greedy tokens; at each step the margin by which the best logit leads the second; of the
first step, logits, and how far an f16 KV cache (Millrace's) moves the farthest of them. A step whose margin is below near_tie_margin may go either way in another correct implementation, and every
later token with it: compare tokens up to the first such step.
"""

import importlib.metadata
import pathlib
import sys

import numpy as np

import judge

STEPS = 48
SEED = 20261124
SYSTEM = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"


def chat(user, system=SYSTEM):
    return system + "<|im_start|>user\n" + user + "<|im_end|>\n<|im_start|>assistant\n"


PROMPTS = [
    ("raw story", "Once upon a time, in a small village by the sea, there lived"),
    ("raw fact", "The capital of France is Paris. The capital of Italy is Rome. The capital of Spain is"),
    ("raw counting", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,"),
    ("raw python", "def fibonacci(n):\n    if n < 2:\n        return n\n    return"),
    ("raw java", "public class Stack<T> {\n    private final List<T> items = new ArrayList<>();\n\n    public void push(T item) {"),
    ("raw json", '{"name": "Ada Lovelace", "born": 1815, "fields": ["mathematics", "computing"], "city":'),
    ("raw recipe", "Ingredients:\n- 2 cups of flour\n- 1 cup of sugar\n- 3 eggs\n\nInstructions:\n1."),
    ("raw german", "Der schnelle braune Fuchs springt über den faulen Hund. Am nächsten Morgen"),
    ("raw unicode", "Привет, мир! 你好,世界! こんにちは世界 🌍🚀 café naïve"),
    ("raw long", "Water moves around the planet in a cycle. The sun heats the oceans, lakes and rivers, and some of the water "
     "evaporates and rises as vapour into the air. High above the ground the air is colder, and the vapour condenses into tiny "
     "drops that gather as clouds. Winds carry the clouds over land. When the drops grow heavy enough they fall as rain, snow or "
     "hail. Part of that water soaks into the soil and feeds plants and springs; part of it runs over the ground into streams, "
     "which join rivers, which flow back to the sea. On its way the water dissolves minerals from the rocks, shapes valleys, turns "
     "mills and fills the reservoirs from which towns drink. Nothing is lost: the same drop may have been in a glacier, a cup of "
     "tea and a thundercloud. In summary,"),
    ("chat hello", chat("Hello! Who are you?")),
    ("chat arithmetic", chat("What is 17 plus 25? Answer with the number only.")),
    ("chat classify", chat("Classify this support message as BILLING, TECHNICAL or OTHER: 'I was charged twice this month.'")),
    ("chat extract", chat("Extract name and date as JSON: 'Please book a table for Maria Lopez on 14 March at seven.'")),
    ("chat summary", chat("Summarize in one sentence: The meeting was moved from Monday to Wednesday because the room was flooded. "
                          "Everyone must bring their laptops, and lunch will be provided by the new caterer.")),
    ("chat translate", chat("Translate to French: Good morning, how are you today?")),
    ("chat own system", chat("Tell me about the moon.",
                             "<|im_start|>system\nYou are a pirate. Answer briefly.<|im_end|>\n")),
    ("chat code", chat("Write a Python function that checks whether a string is a palindrome.")),
    ("chat turns", chat("My name is Ada.")[:-len("<|im_start|>assistant\n")]
     + "<|im_start|>assistant\nNice to meet you, Ada!<|im_end|>\n<|im_start|>user\nWhat is my name?<|im_end|>\n<|im_start|>assistant\n"),
    ("chat whitespace", chat("  \n\tFix   the spacing :   a ,b ,  c\n\n\n")),
]


def main(model, f32, out):
    if not pathlib.Path(f32).exists():
        judge.dequantize(model, f32)
    exact, shipped = judge.Judge(f32), judge.Judge(model)
    random = np.random.default_rng(SEED)
    rows = []
    for name, text in PROMPTS:
        prompt = exact.tokenize(text, parse_special=True)
        tokens, margins, logits = judge.continuation(exact, prompt, STEPS)
        shipped_tokens, shipped_margins, _ = judge.continuation(shipped, prompt, STEPS)
        _, _, half = judge.continuation(exact, prompt, 1, judge.F16)
        row = {"name": name, "prompt": prompt, "tokens": tokens, "margins": margins}
        row |= judge.first_step(logits, random, 64)
        row["f16_kv_moves"] = round(float(np.abs(half - logits).max()), 4)
        row |= {"quantized_tokens": shipped_tokens, "quantized_margins": shipped_margins}
        rows.append(row)
        print(f"{name}: {len(prompt)} tokens; f16 KV moves logits by {row['f16_kv_moves']}; smallest margin "
              f"{min(margins)}; quantized agrees for {agreement(tokens, shipped_tokens)} of {STEPS}")
    document = {
        "judge": judge.NAME,
        "weights": "F32, dequantized by gguf " + importlib.metadata.version("gguf") + "; KV cache F32; no flash attention",
        "quantized": "the same prompts on the shipped Q4_1 file, where the judge rounds activations to 8 bits; a cross reference",
        "near_tie_margin": 0.05,
        "prompts": rows,
    }
    judge.write(out, document, "prompts")


def agreement(left, right):
    return next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), len(left))


if __name__ == "__main__":
    main(*sys.argv[1:])
