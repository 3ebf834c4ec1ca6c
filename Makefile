# dscript. `make` or `make help` says what there is.
GO ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# Packages tested at once: tests are busy with one engine, two cores are enough for two.
# One with Podman 4.3, whose builds fail where images are removed meanwhile.
P ?= 2
TESTFLAGS ?= -race -p $(P) -timeout 20m

.PHONY: help demo test test-podman check unit cross bench docs install build setup

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## sets an engine up where there is none and runs the first example
	MAKE_TARGET=demo bash scripts/setup.sh
	bin/dscript run examples/quickstart.star

test: ## the same set-up, then every check and test
	MAKE_TARGET=test NEED_CC=1 bash scripts/setup.sh
	$(MAKE) check cross unit

test-podman: ## the test suite against Podman, on a service of its own
	bash scripts/podman.sh $(MAKE) unit P=1

check: ## format, vet, staticcheck
	@echo gofmt -l .; files="$$(gofmt -l .)"; test -z "$$files" || { echo "not formatted: $$files"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

unit: ## go test, with the race detector
	$(GO) test $(TESTFLAGS) ./...

cross: ## builds for every platform: linux, darwin, windows on amd64, arm64
	@for p in $(PLATFORMS); do echo build $$p; GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 $(GO) build -buildvcs=false -o /dev/null ./cmd/dscript || exit 1; done

bench: setup ## the benchmarks, each beside its floor or its peer
	$(GO) test -run '^$$' -bench . -benchmem -p 1 ./...

docs: ## writes the reference again from the declarations
	$(GO) test ./builtins -run TestReference -update

install: ## puts dscript into GOBIN
	$(GO) install ./cmd/dscript

build: ## bin/dscript
	$(GO) build -buildvcs=false -o bin/dscript ./cmd/dscript

setup: ## an engine that answers, with the base image: what demo and test begin with
	bash scripts/setup.sh
