# One line each, thin over Maven; ./millrace finds the JDK.
.PHONY: fmt test verify bench demo fuzz
fmt: ; ./millrace mvn -q spotless:apply
test: ; ./millrace test
verify: ; ./millrace mvn clean verify
bench: ; ./millrace bench engine
demo: ; ./millrace demo

# TARGET: json, avro, pending, gguf, tokenizer, chat-template, yaml. What it finds is under ops/cli/target/fuzz.
TARGET ?= json
SECONDS ?= 600
fuzz: ; ./millrace mvn -q test -pl ops/cli -am -Dtest='FuzzCorpusTest\#shouldSurviveFuzzing' -Dsurefire.failIfNoSpecifiedTests=false -Dmillrace.fuzz.target=$(TARGET) -Dmillrace.fuzz.seconds=$(SECONDS)
