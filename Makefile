# `make help` lists the targets. `make run` and `make build` need Go alone; everything else needs what scripts/setup brings.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# How long each fuzz target runs in `make fuzz`.
FUZZTIME ?= 30s
# Part of a package's, target's or scenario's name, for `make fuzz`, `make microbench` and `make e2e`.
ONLY ?=
# For `make bench`: what the reader of the report should know, and flags of bench/cmd/bench.
NOTE ?=
FLAGS ?=
# Peers of other languages for `make interop`.
PEERS ?= node python
# How much of the largest compression cases `make conformance` plays: turns or full.
SUITE ?= turns
# Whose mutants `make mutants` runs.
BANKS ?= websocket realtime
# How long a server is abused in `make soak-server`.
SOAK ?= 10m
# How many connections come and go in `make soak`.
CYCLES ?= 200000
# Packages whose exhaustive tests take minutes under the race detector; they run without it. A regular expression.
RACELESS ?= ^$$

STEP := scripts/step

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build with Go alone and start the server with the demo
	@exec bin/bellwire serve --dev

.PHONY: build
build: ## Build bin/bellwire
	@CGO_ENABLED=0 go build -trimpath -o bin/bellwire ./cmd/bellwire

.PHONY: test
test: ## Install what is missing, then check and test everything
	@begin=$$(date +%s); \
	$(STEP) setup scripts/setup && \
	$(MAKE) --no-print-directory check test-go conformance fuzz-short test-web e2e && \
	$(MAKE) --no-print-directory interop PEERS=node && \
	$(MAKE) --no-print-directory bench-test && \
	printf '\nmake test: everything passed in %d s\n' $$(($$(date +%s) - begin))

.PHONY: check
check: npm ## Check format, modules, house rules, generated and embedded files, types
	@$(STEP) gofmt scripts/format
	@$(STEP) "go vet" go vet ./...
	@$(STEP) "other systems" scripts/systems
	@$(STEP) "go mod verify" go mod verify
	@$(STEP) "go mod tidy" go mod tidy -diff
	@$(STEP) "house rules" go test -count=1 ./internal/archtest
	@$(STEP) "generated files" go run ./internal/codegen -check
	@$(STEP) "types" node web/typecheck.mjs
	@$(STEP) "embedded files" node web/build.mjs --check
	@$(STEP) "client size" node web/size.mjs
	@$(STEP) staticcheck go run $(STATICCHECK) ./...

.PHONY: test-go
test-go: ## Run the Go tests, with the race detector wherever that is affordable
	@$(STEP) "go test -race" go run ./internal/gotest -race $$(go list ./... | grep -Ev '$(RACELESS)')
	@slow=$$(go list ./... | grep -E '$(RACELESS)' || true); \
	[ -z "$$slow" ] || $(STEP) "go test" go run ./internal/gotest $$slow

.PHONY: conformance
conformance: ## Play the public suite's cases with 1,000 messages each (SUITE=full: also of the largest, half an hour)
	@BELLWIRE_AUTOBAHN=$(SUITE) $(STEP) conformance go run ./internal/gotest -timeout 2h -run '^Test(Autobahn|Churn)' ./websocket/conformance

.PHONY: soak
soak: ## Let CYCLES (200,000) connections come and go in each driver, and see that they leave nothing
	@BELLWIRE_SOAK=$(CYCLES) $(STEP) soak go run ./internal/gotest -timeout 2h -run '^TestChurn$$' ./websocket/conformance

.PHONY: soak-server
soak-server: build ## Abuse a server for SOAK (10m), and see what honest clients notice of it
	@$(STEP) "soak of the server" go run ./server/soak -binary bin/bellwire -duration $(SOAK)

.PHONY: test-web
test-web: npm ## Run the TypeScript tests of client, demo and browser harness
	@$(STEP) "web tests" node web/test.mjs unit

.PHONY: e2e
e2e: npm build ## Run the scenarios in Chromium (ONLY=part of a file's name)
	@BELLWIRE_BINARY=$(CURDIR)/bin/bellwire $(STEP) "browser scenarios" node web/test.mjs e2e $(ONLY)

.PHONY: interop
interop: ## Hold the engine against five other implementations, up to 16 MiB (PEERS=node python)
	@$(STEP) "peers" websocket/interop/setup $(PEERS)
	@BELLWIRE_INTEROP="$(PEERS)" $(STEP) "interop" go run ./internal/gotest ./websocket/interop

.PHONY: mutants
mutants: ## Break each rule of the engine and of channels on purpose, and see a test fail (ONLY=part of a class, file or text; BANKS)
	@for bank in $(BANKS); do $(STEP) "mutants of $$bank" go run ./$$bank/mutants $(ONLY); done

.PHONY: race
race: ## Run all Go tests with the race detector
	@$(STEP) "go test -race" go run ./internal/gotest -race ./...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (30s), or those that match ONLY
	@scripts/fuzz $(FUZZTIME) $(ONLY)

.PHONY: fuzz-short
fuzz-short: ## Run every fuzz target of the engine a fixed number of times
	@$(STEP) "short fuzz" scripts/fuzz 2000x websocket

.PHONY: bench
bench: ## Measure Bellwire beside its peers, some forty minutes, into bench/results (NOTE=a sentence, FLAGS of bench/cmd/bench)
	@$(MAKE) --no-print-directory -C bench full NOTE="$(NOTE)" FLAGS="$(FLAGS)"

.PHONY: bench-test
bench-test: ## Try everything that `make bench` does, on very few of everything
	@$(STEP) "bench: go vet" $(MAKE) --no-print-directory -C bench vet
	@$(STEP) "bench: tests" $(MAKE) --no-print-directory -C bench test
	@$(STEP) "bench: smoke" $(MAKE) --no-print-directory -C bench smoke

.PHONY: microbench
microbench: ## Run the Go benchmarks (ONLY=regular expression)
	@go test -run '^$$' -bench '$(or $(ONLY),.)' -benchmem ./...

.PHONY: cover
cover: ## Measure the statements that the tests reach, package by package
	@go test -coverprofile=coverage.txt ./... && go tool cover -func=coverage.txt | tail -n 1

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what both modules call (in today's database, so it is not part of check)
	@$(STEP) vulnerabilities scripts/vuln

.PHONY: gen
gen: ## Write what is generated from spec/codes.json
	@go run ./internal/codegen

.PHONY: web
web: npm ## Build web/dist, which is committed and embedded in the binary
	@cd web && node build.mjs

.PHONY: npm
npm:
	@scripts/setup npm

.PHONY: size
size: build ## Print the sizes of the binary, the client, the code and its tests
	@scripts/size

.PHONY: clean
clean: ## Remove what was built, except what is committed
	@rm -rf bin build coverage.txt web/node_modules web/client/dist web/e2e/screenshots-out
