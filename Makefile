# One line each, thin over Maven; ./millrace finds the JDK.
.PHONY: fmt test verify bench demo
fmt: ; ./millrace mvn -q spotless:apply
test: ; ./millrace test
verify: ; ./millrace mvn clean verify
bench: ; ./millrace bench engine
demo: ; ./millrace demo
