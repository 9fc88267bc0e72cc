"""Says which English digit each file is: raw samples, 16 bits, 16 kHz. An ear that knows nothing of our recordings."""
import sys
import tempfile

from pocketsphinx import Decoder

WORDS = "zero one two three four five six seven eight nine".split()

with tempfile.NamedTemporaryFile("w", suffix=".gram") as grammar:
    grammar.write(f"#JSGF V1.0;\ngrammar digits;\npublic <digit> = {' | '.join(WORDS)};\n")
    grammar.flush()
    decoder = Decoder(jsgf=grammar.name, samprate=16000, loglevel="FATAL")
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        sound = file.read()
    silence = bytes(6000)
    decoder.start_utt()
    decoder.process_raw(silence + sound + silence, full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    print(WORDS.index(heard.hypstr) if heard and heard.hypstr in WORDS else "?", end="")
