# Everything here works with Go and make. Tools are pinned in tools/go.mod and built by Go.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODULE := github.com/durasync/durasync
BIN    := $(CURDIR)/bin/durasync
TOOL   := go tool -modfile=$(CURDIR)/tools/go.mod

# The race detector needs a C compiler, without which Go turns cgo off.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# The tests that look at pages need a browser.
BROWSER := $(if $(shell command -v chromium),-tags browser)

# The embedded Temporal server is 100 MB of code: what links it is compiled once, without the race detector.
SERVER_PACKAGES := $(MODULE)/internal/devserver $(MODULE)/cmd/durasync

# How many tests of a package run at once. Those of the whole program wait more than they compute.
PARALLEL ?= 4

# What go test is told besides, such as make test TESTFLAGS='-run Ledger'.
TESTFLAGS ?=

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Run everything on this machine, with simulated Gong and Totango
	@exec $(BIN) demo

.PHONY: build
build: ## Build bin/durasync
	@[ -e $(BIN) ] || echo "Building durasync with its embedded Temporal server. The first build takes a few minutes, later ones seconds."
	@go build -ldflags '-s -w' -o $(BIN) ./cmd/durasync

# The tests of the protocol have the build tag !race: in their synctest bubbles, the detector itself crashes now and then.
.PHONY: test
test: build ## Run all tests, with the race detector
	@echo "Testing$(if $(RACE), with the race detector,: no C compiler found, so without the race detector)"
	@$(if $(BROWSER),:,echo "chromium is not installed, so the tests that look at pages are left out")
	DURASYNC_BIN=$(BIN) go test -timeout 30m -parallel $(PARALLEL) $(RACE) $(BROWSER) $(TESTFLAGS) $$(go list ./... | grep -vxF $(SERVER_PACKAGES:%=-e %))
	DURASYNC_BIN=$(BIN) go test $(TESTFLAGS) $(SERVER_PACKAGES)
	go test $(TESTFLAGS) -run '^TestProtocol' ./workflows

# These look at the embedded server itself, or at none.
EMBEDDED := ^(TestChaos|TestDemo|TestHelpFitsTheTerminal|TestNothingReadableIsStored|TestMissingKeysEndNothing|TestCodecServer|TestWorkersReportWhatTheyDo)$$

.PHONY: test-postgres
test-postgres: build ## Run the tests of the whole on a Temporal server with PostgreSQL
	DURASYNC_E2E_TEMPORAL=postgres DURASYNC_BIN=$(BIN) go test -count=1 -timeout 40m -parallel $(PARALLEL) -skip '$(EMBEDDED)' $(TESTFLAGS) ./internal/e2e

# How long make fuzz tries each target.
FUZZTIME ?= 30s

# One target a run is all that go test takes.
.PHONY: fuzz
fuzz: ## Try random input on everything that reads some, each target for FUZZTIME=30s
	@for file in $$(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$$file"); do \
			said=$$(go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" 2>&1) || { echo "$$said"; exit 1; }; \
			printf '%-40s %s\n' "$$(dirname "$$file") $$target" "$$(grep -o 'execs: [0-9]*' <<<"$$said" | tail -1)"; \
		done; done

.PHONY: check
check: check-format check-generated check-imports check-workflows check-lint check-examples check-deploy ## Check everything that is not a test

.PHONY: check-format
check-format:
	@echo "gofmt"
	@files=$$(gofmt -l .); [ -z "$$files" ] || { \
		echo "not formatted; run gofmt -w on:"; echo "$$files"; exit 1; }

# What is generated goes elsewhere and is compared, so that the check changes nothing. The protocol may grow, and must not break what
# was built for a released one.
BUF       := $(TOOL) buf
TEMPLATES := plugin/internal/wire/buf.gen.yaml internal/docgen/buf.gen.yaml

.PHONY: check-generated
check-generated:
	@echo "the protocol, generated files"
	@$(BUF) lint plugin/protocol
	@for released in plugin/protocol/released/*; do \
		$(BUF) breaking plugin/protocol --against "$$released" || { \
			echo "the protocol breaks what was built for $${released##*/}"; exit 1; }; done
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
		for template in $(TEMPLATES); do $(BUF) generate --template "$$template" -o "$$copy" plugin/protocol; done; \
		(cd "$$copy" && find . -type f) | while read -r file; do \
			diff -u "$$file" "$$copy/$$file" || { echo "generated files differ; run make generate"; exit 1; }; done

.PHONY: check-imports
check-imports:
	@echo "import rules"
	@go test ./internal/deptest

.PHONY: check-workflows
check-workflows:
	@echo "workflowcheck"
	@$(TOOL) workflowcheck ./workflows/...

.PHONY: check-lint
check-lint:
	@echo "go vet"
	@go vet -tags browser ./...
	@echo "golangci-lint"
	@$(TOOL) golangci-lint run --build-tags browser

.PHONY: check-examples
check-examples: build
	@echo "job files"
	@for dir in $$(find examples -name '*.hcl' -exec dirname {} \; | sort -u); do \
		$(BIN) fmt --check "$$dir"; done

# Prometheus' own tool tests the alert rules.
PROMTOOL := $(shell command -v promtool)

.PHONY: check-deploy
check-deploy: build
	@echo "the Compose file, Kubernetes manifests, the image's recipe"
	@$(BIN) fmt --check deploy/compose/jobs
	@$(BIN) fmt --check deploy/kubernetes/example
	@cd deploy && go vet . && DURASYNC_BIN=$(BIN) go test .
	@echo "alert rules$(if $(PROMTOOL),,: promtool is not installed, so they are not tested)"
	@$(if $(PROMTOOL),promtool check config --syntax-only deploy/monitoring/scrape.yaml >/dev/null)
	@$(if $(PROMTOOL),promtool test rules deploy/monitoring/alerts_test.yaml >/dev/null)

.PHONY: generate
generate: ## Generate code and documentation
	go generate ./...

# FULL=1 backfills 100,000 meetings and syncs at the limits as they are, too; POSTGRES=1 measures the engine on Temporal with PostgreSQL, too.
BENCH := DURASYNC_BIN=$(BIN) go run ./bench $(if $(FULL),-full) $(if $(POSTGRES),-postgres)

.PHONY: bench
bench: build ## Measure everything that has a target, in a few minutes: see docs/performance.md
	@$(BENCH) $(BENCHFLAGS)

.PHONY: bench-compare
bench-compare: build ## Compare what is checked out with the commit OLD, benchmark by benchmark in turn
	@old=$$(mktemp -d); trap 'git worktree remove --force "$$old"' EXIT; git worktree add --quiet --detach "$$old" $(OLD); \
		(cd "$$old" && go build -ldflags '-s -w' -o bin/durasync ./cmd/durasync); \
		$(BENCH) -rounds 3 -against "$$old" -out bin/bench $(BENCHFLAGS); \
		go tool -modfile=tools/bench/go.mod benchstat bin/bench/old.txt bin/bench/new.txt

# How many meetings, and the seed of the plan of faults and kills.
MEETINGS ?= 5000
SEED     ?= $(shell date +%s)

.PHONY: chaos
chaos: build ## Sync 5,000 meetings while processes are killed and calls fail
	DURASYNC_BIN=$(BIN) go test -count=1 -timeout 2h -v -run '^TestChaos$$' ./internal/e2e -chaos.meetings $(MEETINGS) -chaos.seed $(SEED)

.PHONY: big
big: build ## Backfill 100,000 meetings of 50,000 accounts
	DURASYNC_BIN=$(BIN) go test -count=1 -timeout 2h -v -run '^TestBigBackfill$$' ./internal/e2e -big.meetings 100000 -big.accounts 50000

# The release of a tag; SNAPSHOT=1 makes one of whatever is checked out. What releases are made with takes minutes to build.
export RELEASE_TOOLS := $(CURDIR)/tools/release/go.mod

.PHONY: release
release: ## Build the archives of a release, with checksums and lists of what is in them, into dist/
	@go tool -modfile=$(RELEASE_TOOLS) goreleaser release --clean --skip=publish $(if $(SNAPSHOT),--snapshot)

# The second build begins from nothing, and in another directory.
.PHONY: release-check
release-check: ## Build the program without its server twice, and compare
	@copy=$$(mktemp -d); trap 'chmod -R u+w "$$copy"; rm -rf "$$copy"' EXIT; \
		build=(go build -trimpath -buildvcs=false -tags noserver -ldflags '-s -w'); \
		"$${build[@]}" -o "$$copy/here" ./cmd/durasync; \
		mkdir "$$copy/elsewhere"; tar -c --exclude ./.git --exclude ./bin --exclude ./dist . | tar -x -C "$$copy/elsewhere"; \
		(cd "$$copy/elsewhere" && GOCACHE="$$copy/cache" "$${build[@]}" -o "$$copy/there" ./cmd/durasync); \
		cmp "$$copy/here" "$$copy/there"; sha256sum <"$$copy/here"

# Where govulncheck reads the vulnerability database: a URL, https or file.
VULNDB ?= https://vuln.go.dev

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what the program calls
	@$(TOOL) govulncheck -db $(VULNDB) ./cmd/durasync
	@$(TOOL) govulncheck -db $(VULNDB) -tags noserver ./cmd/durasync

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist
