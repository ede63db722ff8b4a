"""Texts that tokenizers get wrong, seeded."""

import random

WRITTEN = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n", "\n ", "\t\t\tx", "a", "Hello", " Hello", "Hello world", " Hello  World ",
    "Hello, y'all! How are you 😁 ?", "I'm sure they'll say we've done it; he'd say she's it's THAT'S I'M THEY'LL WE'VE O'Reilly ''s 's",
    "I’m here, they’ll see", "don't DON'T Don'T can't 'tis 'twas rock'n'roll 'S 'T 'LL 'Re 'vE", "3.14159, 1,000,000 and 0x7fff",
    "1", "12", "123", "1234", "12345", "1234567890123456789", "year 2024 v1.2.3 10:30 50% $99.99 #42", "12abc34", "abc123def4567",
    "٣٤٥٦٧", "१२३४५", "½ ² ³ ① Ⅳ 五", "1 2 3 4  5   6", "a1b2c3", "1\n2\n\n3\n\n\n4",
    "int main(void) {\n    printf(\"hi\\n\");\n\treturn 0;\n}\n", "def f(x):\n    return x ** 2  # square\n\n\n", "for(i=0;i<10;++i){a[i]+=b[i]*c;}",
    "SELECT * FROM t WHERE a >= 3 AND b != 'x';", "<html><body class=\"x\">&nbsp;</body></html>", "{\"k\": [1, 2.5, true, null], \"é\": \"\\u00e9\"}",
    "camelCaseString PascalCase snake_case kebab-case SCREAMING_CASE iOS McDonald HTTPServer", "https://example.org/a/b?c=d&e=f#g", "user@example.com",
    "/usr/local/bin C:\\Windows\\System32", "a+b=c a-b a*b a/b a%b a^b a|b a&b ~a !a `a` $a @a #a", "...", "!!!???", "--- *** ___ === +++",
    "(a) [b] {c} <d> «e» “f” ‘g’ „h“", "a,b;c:d.e", "$$$ €5 £6 ¥7 ₹8 +-×÷ ≤≥≠ ∑∫√∞", "\\n \\t \\\\", "~~~~~~~~ ======== --------", "=>->|>::..",
    "こんにちは世界。元気ですか？", "日本語とEnglishの混在テキスト123", "你好，世界！今天天气很好。", "我喜歡吃蘋果", "안녕하세요 세계 여러분", "한국어 텍스트 처리",
    "مرحبا بالعالم، كيف حالك؟", "שלום עולם", "नमस्ते दुनिया, आप कैसे हैं?", "สวัสดีชาวโลก", "ሰላም ልዑል", "Привет, как дела? Ёлка", "Γειά σου Κόσμε", "Xin chào thế giới",
    "Größe Straße Äpfel ÜBER ß ẞ", "naïve façade café Noël", "e\u0301 n\u0303 o\u0308 a\u030a\u0323", "Z\u0351\u036f\u033e\u0321a\u0315l\u0330g\u0319o\u0334", "\u1100\u1161\u11a8", "ﬁ ﬂ ﬀ Ａ１！",
    "🌍🚀🎉", "👨‍👩‍👧‍👦 family", "👍🏽👍🏿", "🇩🇪🇫🇷", "❤️ ❤", "☺️☹", "a😀b😀 😀  😀", "🤷‍♂️ 🏳️‍🌈", "𝕳𝖊𝖑𝖑𝖔 𝟙𝟚𝟛", "𐐀𐐨 𒀀 𓀀", "\U0001F9FF\U0001FAE8\U0001FADF", "\U00020000\U0002A6D6",
    "a\u00a0b", "\u00a0\u00a0a", "a\u2003b\u2009c\u3000d", "\u200bzero\u200bwidth\u200d\ufeff", "line\u2028sep\u2029par", "nel\u0085nel", "a\u1680b\u180ec\u205fd\u202fe",
    "\x00", "a\x00b", "\x01\x02\x07\x08\x0b\x0c\x0e\x1b[31mred\x1b[0m\x7f", "\ufffd", "\ufffe\uffff", "\ue000\uf8ff", "\u0378\u0379", "\U000e0001\U000e0061",
    "trailing space ", "trailing spaces   ", "trailing newline\n", "trailing mix \n \t ", "   leading", "\n\n   leading", "a  b   c    d     e", "a \n b  \n\n  c \r\n\r\n d",
    "\t\tif x:\n\t\t\ty()\n", "        eight spaces", "                sixteen", " " * 64 + "x", "\n" * 10 + "x", "\r\r\n\n\r", "x" + " " * 17, "- item\n  - sub\n    - subsub\n",
    "a" * 50, "ab" * 40, "A" * 33, "0" * 40, "é" * 20, "😀" * 12, "." * 70, "!?" * 20, "Donaudampfschifffahrtsgesellschaftskapitän", "antidisestablishmentarianism supercalifragilisticexpialidocious",
    "The quick brown fox jumps over the lazy dog.", "It was the best of times, it was the worst of times, it was the age of wisdom...",
    "Dear customer,\n\nYour order #10042 (2x USB-C cable) shipped on 2024-03-05.\nTrack it: https://t.example/x?id=9\n\nRegards,\nSupport",
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "# Title\n\n## Sub\n\n* **bold** _it_ `code`\n\n```py\nx = 1\n```\n", "E=mc² and H₂O, CO₂; 5°C ± 2 µm", "№ 5 ™ © ® § ¶ † ‡ • … ‰",
    "ǅ ǈ ᾈ ʰ ª º", "ſtraße 'ſ 'K", "İstanbul ı I i", "ʻOkina Hawaiʻi", "l'été d'accord aujourd'hui", "L’Hôpital", "¿Qué? ¡Sí!", "x\u0336y\u20dd", "ะ้ำ", "க்ஷ தமிழ்", "ཀྵ", "ᠮᠣᠩᠭᠣᠯ",
    "_a __b ___c", "a_b_c", " _x", " -x --y", " 'quoted' \"double\"", "'", "''", "' '", "'s", " 's", "s'", "'ll go", "x'll", "'d've", "n't", "1's 2nd 3rd 4th",
    "ⅷ Ⅻ ㈠ ㊿ 𐄇", "৳৫০০", "〇一二三", "１２３４", "߁߂߃", "𝟘𝟙", "x²y³", "10²", "2½", "a\u0300\u0301b", " \u0301x", "\u0301", "5\u20e3", "\u20ac\u20ac 20\u20ac",
]

SPECIALS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "a<|im_end|>b", "a <|im_end|> b", "<|im_end|><|im_end|>",
    "<|im_start|", "<|im_start|<|im_start|>>", "<|IM_END|>", "x<|endoftext|>", "<|endoftext|>x", "  <|im_end|>  ", "\n<|im_end|>\n", "<repo_name>a/b<file_sep>x", "<reponame><filename>",
    "<issue_start><issue_comment>c<issue_closed>", "<jupyter_code>x=1<empty_output>", "<|im_start|>system\nÜber 😀<|im_end|>", "1<|im_end|>2", "'<|im_end|>s", "<<|im_end|>>",
]

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz     ", "abcXYZ019 \n\t.,'\"!-_()", "etaoin shrdlu'''ststredmll ", "0123456789 ,.", " \n\t\r\u00a0\u2003ab", "áéíóúñüßçğışœøåæ aeiou", "абвгдежзийклмнопрстуфхцчшщъыьэюя ",
    "日本語中国한국어ひらがなカタカナ 12", "😀😃👍🏽\u200d\ufe0f❤🚀 a", "مرحباשלוםनमस्ते๑๒ ", "{}[]()<>=+-*/%&|^~!?;:,.#@$\\`'\" ab1",
]


def seeded(seed, count, longest):
    """Random texts from each alphabet in turn, and, every fourth, of any code points."""
    rng = random.Random(seed)
    texts = []
    for i in range(count):
        length = rng.randint(1, longest)
        if i % 4 == 3:
            points = (rng.choice((rng.randrange(0x20, 0x250), rng.randrange(0x250, 0xD800), rng.randrange(0xE000, 0x10000),
                                  rng.randrange(0x10000, 0x40000), rng.randrange(0x110000 - 0x30000, 0x110000))) for _ in range(length // 2 + 1))
            texts.append("".join(map(chr, points)))
        else:
            alphabet = ALPHABETS[rng.randrange(len(ALPHABETS))]
            texts.append("".join(rng.choice(alphabet) for _ in range(length)))
    return texts


def garbled(seed, count):
    """Random bytes, read as UTF-8 with replacement characters."""
    rng = random.Random(seed)
    return [rng.randbytes(rng.randint(1, 24)).decode("utf-8", errors="replace") for _ in range(count)]
