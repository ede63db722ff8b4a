# One line each, thin over Maven; ./millrace finds the JDK.
.PHONY: fmt test test-registry test-clients test-servers test-image matrix verify bench chaos soak demo fuzz simulate
fmt: ; ./millrace mvn -q spotless:apply
test: ; ./millrace test
test-registry: ; ./millrace mvn test -Dgroups=registry -Dexcluded.groups= -Dmillrace.registry.fetch=true
test-clients: ; ./millrace mvn test -pl ops/cli -am -Dtest=QuickstartTest -Dsurefire.failIfNoSpecifiedTests=false -Dexcluded.groups=
test-servers: ; for each in build-llama-server install-vllm install-triton install-kserve; do ops/servers/$$each.sh || exit; done && ./millrace mvn test -pl ops/cli -am -Dgroups=servers -Dexcluded.groups=
test-image: ; ./millrace mvn test -pl ops/cli -am -Dgroups=image -Dexcluded.groups=
matrix: ; ./millrace matrix
verify: ; ./millrace mvn clean verify
bench: ; ./millrace bench engine
chaos: ; ./millrace bench chaos
soak: ; ./millrace bench soak
demo: ; ./millrace demo

# TARGET: json, avro, pending, gguf, tokenizer, chat-template, yaml, event-stream, server-body, prometheus. What it finds is under ops/cli/target/fuzz.
TARGET ?= json
SECONDS ?= 600
fuzz: ; ./millrace mvn -q test -pl ops/cli -am -Dtest='FuzzCorpusTest\#shouldSurviveFuzzing' -Dsurefire.failIfNoSpecifiedTests=false -Dmillrace.fuzz.target=$(TARGET) -Dmillrace.fuzz.seconds=$(SECONDS)

# RUNS seeds from SEED on, on all processors.
RUNS ?= 10000
SEED ?= 1
simulate: ; ./millrace mvn -q test -pl inference-processor/streams -am -Dtest='SimulationTest\#shouldAnswerEachPromptOnce*' -Dsurefire.failIfNoSpecifiedTests=false -Dmillrace.simulation.runs=$(RUNS) -Dmillrace.simulation.seed=$(SEED) && tail -n 1 inference-processor/streams/target/surefire-reports/*.SimulationTest-output.txt
