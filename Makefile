SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup gen build run demo test unit integration slurm slurm-cluster check lint format proto release-proto bench answers sim chaos chaos-store chaos-slurm pack clean

BIN := node_modules/.bin

# What runs as a process or thread of its own is bundled in place: a worker then starts in half the time, with a quarter less
# memory. What stays outside is native, or loaded only when it is needed.
PROGRAMS := $(patsubst %.ts,%,$(wildcard services/*/main.ts) services/worker/exec/slot-main.ts)
# As CommonJS, which Node 20 loads with a third less processor time than the same program as ES modules.
BUNDLE_FLAGS := --bundle --format=cjs --out-extension:.js=.cjs --platform=node --target=node20 --outdir=dist --outbase=dist \
  --main-fields=module,main --log-level=warning --minify-whitespace --minify-syntax --legal-comments=none \
  --external:costate --external:esbuild --external:@node-rs/* --external:classic-level --external:koffi --external:@peculiar/x509 --external:reflect-metadata \
  --external:@opentelemetry/exporter-trace-otlp-grpc \
  --define:import.meta.url=moduleUrl --banner:js="const moduleUrl = require('node:url').pathToFileURL(__filename).href;"

# The main job's parameters: make run WORKERS=4 PROBLEMS=400 OUT=dir
RUN_FLAGS := $(if $(WORKERS),--workers $(WORKERS)) $(if $(PROBLEMS),--problems $(PROBLEMS)) $(if $(OUT),--out $(OUT)) $(if $(SEED),--seed $(SEED)) $(if $(PROFILE),--profile) $(if $(WARM_START),--warm-start)

DEMO_FLAGS := $(if $(INLINE),--inline) $(if $(REDUCED),--reduced) $(if $(JSON),--json) $(if $(OUT),--out $(OUT))

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

setup: node_modules/.package-lock.json ## install what package-lock.json names

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

gen: setup libs/proto/gen/.stamp ## generate code from proto/

libs/proto/gen/.stamp: $(shell find proto -name '*.proto') proto/buf.gen.yaml proto/buf.yaml
	cd proto && ../$(BIN)/buf generate
	@touch $@

build: gen dist/.stamp ## compile libs and services to dist/

dist/.stamp: $(shell find libs services -name '*.ts' -not -path '*/gen/*') tsconfig.json tsconfig.build.json libs/proto/gen/.stamp
	@rm -rf dist
	$(BIN)/tsc -p tsconfig.build.json
	$(BIN)/esbuild $(PROGRAMS:%=dist/%.js) $(BUNDLE_FLAGS)
	@find dist/services -type f -not -name '*.cjs' -delete && find dist/services -type d -empty -delete
	@chmod +x dist/libs/cli/main.js
	@touch $@

run: build ## the main job: an optimal-control sweep on a local mesh (WORKERS= PROBLEMS= OUT= SEED= PROFILE=1 WARM_START=1)
	node dist/libs/demos/main-job/main.js $(RUN_FLAGS)

demo: build ## one of the seven demos: make demo NAME=pipeline (INLINE=1 REDUCED=1 JSON=1 OUT=dir); without a name they are listed
	@node dist/libs/demos/main.js $(NAME) $(DEMO_FLAGS)

test: check unit integration slurm ## everything that CI runs

unit: build ## unit tests, beside the sources
	$(BIN)/vitest run --project unit

integration: build ## tests with real processes and real sockets
	$(BIN)/vitest run --project integration

slurm: build ## tests against a real SLURM on this machine, installed from the distribution where that is allowed
	$(BIN)/vitest run --project slurm

slurm-cluster: setup ## a SLURM on this machine to try things on, until Ctrl-C: make slurm-cluster NODES=4
	node --import tsx test/harness/slurm/main.ts $(if $(NODES),--nodes $(NODES)) $(if $(SPEED),--speed $(SPEED))

check: build proto lint ## contracts, types, style, architecture

proto: gen
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf format --diff --exit-code
	@# What was released is the promise: nothing of it may break, committed or not.
	cd proto && ../$(BIN)/buf breaking --against released.binpb

release-proto: proto ## make the contracts as they are now the promise: once per release, committed with its version
	cd proto && ../$(BIN)/buf build --exclude-source-info -o released.binpb

lint: build
	$(BIN)/tsc -p tsconfig.json --noEmit
	$(BIN)/eslint --cache --cache-location node_modules/.cache/eslint .
	$(BIN)/prettier --check --log-level warn .

format: setup ## write sources as prettier and buf want them
	$(BIN)/prettier --write --log-level warn .
	cd proto && ../$(BIN)/buf format -w

sim: build ## the seeded simulator, on every core: make sim SEEDS=2000 FIRST=1
	SEEDS=$(SEEDS) FIRST=$(FIRST) node --conditions=source --import tsx test/sim/main.ts

chaos: build ## real processes, killed again and again: make chaos KILLS=50 TASKS=10000 SEED=1 (WORKER_KILLS= CLIENT_KILLS= STORE_KILLS=200)
	KILLS=$(KILLS) TASKS=$(TASKS) SEED=$(SEED) WORKER_KILLS=$(WORKER_KILLS) CLIENT_KILLS=$(CLIENT_KILLS) node --import tsx test/chaos/main.ts
	$(MAKE) --no-print-directory chaos-store KILLS=$(or $(STORE_KILLS),200)
	$(MAKE) --no-print-directory chaos-slurm

chaos-store: build ## the checkpoint-store, killed at its failpoints: make chaos-store KILLS=200 SEED=1
	KILLS=$(KILLS) SEED=$(SEED) node --import tsx test/chaos/store/main.ts

chaos-slurm: build ## the provisioner on a real SLURM that fails: make chaos-slurm SCENARIOS="split-brain walltime"
	SCENARIOS="$(SCENARIOS)" node --import tsx test/chaos/slurm/main.ts

bench: build ## benchmarks against peers: make bench ROWS="roundtrip-p50"
	node --import tsx test/bench/main.ts $(ROWS)

answers: build ## problems with published answers, computed through a mesh and judged: make answers OUT=results.json WORKERS=2 (KILL=1 ONLY=mr-)
	node --import tsx test/workloads/main.ts $(if $(OUT),--out $(OUT)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(KILL),--kill) $(if $(ONLY),--only $(ONLY))

pack: build ## the npm package
	npm pack

clean: ## remove what was generated and built
	rm -rf dist libs/proto/gen coverage bench.json
