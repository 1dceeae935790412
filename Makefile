# Countersign: `make help` lists what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := help

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is needed, build, start everything with a demo tenant (ARGS=--detach returns when ready; STORE=postgresql; SCALE="verifier=3 gateway=2")
	@scripts/run $(ARGS)

stop: ## Stop what `make run ARGS=--detach` started
	@scripts/stop

build: ## Build the release programs
	@scripts/dependencies run
	@scripts/build release

install: ## Put programs, systemd units and configuration in place (DESTDIR=, PROGRAMS=folder of built ones): docs/install.md
	@scripts/install

test: ## Install what the tests need and run all of them
	@scripts/test

test-faults: ## Processes killed, stopped, cut off and out of disk under load (FAULTS=long: the long form)
	@scripts/test-faults $(ARGS)

test-containers: ## Images built and both compose files started for real, in an engine of their own (PROGRAMS=.build/debug: quick)
	@scripts/test-containers $(ARGS)

bench: ## Measure the figures of docs/performance.md (ARGS="P1 P7" for some of them, --quick for short forms): an hour on an idle machine
	@scripts/bench $(ARGS)

check: ## The checks that need no build: layers, names, format, documents
	@scripts/dependencies check
	@scripts/check

format: ## Format the Swift sources
	swift format format --in-place --recursive --parallel Package.swift $$(git ls-files '*.swift' | grep -v '/Generated/')

proto: ## Generate Sources/Wire/Generated again (needs protobuf-compiler)
	@scripts/generate-messages

pictures: ## Take the README's screenshots and draw the dashboard again
	@scripts/pictures

clean: ## Remove what was built; data in var/ stays
	rm -rf .build .build-containers .venv

.PHONY: help run stop build install test test-faults test-containers bench check format proto pictures clean
