# The front door. `make help` lists what there is; CMakePresets.json holds the builds behind it.
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
.DEFAULT_GOAL := build

# Debian's Python and its pytest, whatever else comes first in PATH.
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 20
ARGS ?=
STAGES ?=
# Plugin folders from outside the repository, separated by spaces.
PLUGINS ?=

export PYTHON JOBS

empty :=
space := $(empty) $(empty)
plugin_list = $(subst $(space),;,$(strip $(abspath $(PLUGINS))))
sources = $(shell git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp')

configure = tools/configure $(1) '-DRR_PLUGINS=$(plugin_list)'

.PHONY: deps build serve test bench fuzz sanitize format lint install package clean help \
	deps-build llhttp

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

deps: ## install the Debian packages of build, serve and test (tools/packages.txt)
	@tools/deps build serve test

deps-build:
	@tools/deps build

llhttp: deps-build
	@tools/fetch-llhttp build/llhttp

build: llhttp ## build the executable build/rr; PLUGINS="dir ..." takes plugin folders along
	@$(call configure,release)
	@cmake --build build/release -j $(JOBS) --target rr
	@ln -sfn release/cmd/rr/rr build/rr

serve: build ## run config/examples/hello at http://127.0.0.1:8080; ARGS="..." goes to `rr serve`
	@tools/deps serve
	@cd config/examples/hello && exec ../../../build/rr serve $(ARGS)

test: llhttp ## everything: unit tests, fuzz corpora, sanitizers, PHP, integration; STAGES="..." picks
	@tools/deps serve test
	@$(PYTHON) -B tests/run.py $(STAGES)

bench: build ## measure against the pipe limit and nginx + php-fpm; ARGS="..." goes to tests/bench/run
	@tools/deps serve bench
	@$(call configure,release) -DRR_BENCH=ON
	@cmake --build build/release -j $(JOBS) --target rr pipe_limit rpc_load tcp_load alloc_count
	@tests/bench/run $(ARGS)

fuzz: llhttp ## let each fuzz target look for new inputs, FUZZ_SECONDS=20 each
	@tools/deps fuzz
	@$(call configure,fuzz)
	@cmake --build build/fuzz -j $(JOBS) --target rr_fuzzers
	@tools/fuzz build/fuzz $(FUZZ_SECONDS)

sanitize: llhttp ## all tests under ASan + UBSan, unit tests under TSan
	@tools/deps serve test
	@$(PYTHON) -B tests/run.py asan asan-integration tsan

format: ## let clang-format write all C++ sources
	@tools/deps lint
	@clang-format-19 -i $(sources)

lint: llhttp ## check the format, then clang-tidy (bugprone, concurrency, performance)
	@tools/deps lint
	@clang-format-19 --dry-run -Werror $(sources)
	@$(call configure,lint)
	@run-clang-tidy-19 -quiet -j $(JOBS) -p build/lint '/(cmd|core|plugins|relay)/.*(?<!_test)\.cpp$$'

install: build ## install below $(DESTDIR)$(PREFIX), by default /usr/local
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install

package: build ## make the Debian package rr-server in build/
	@tools/deps package
	@packaging/deb

clean: ## remove everything that was built
	@rm -rf build
