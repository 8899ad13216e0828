# Holdfast. `make help` lists what there is to do.

.DEFAULT_GOAL := help
DATA ?= ./data

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## build what changed and start Holdfast on http://localhost:8080, data in ./data
	@echo "building (the first time takes a few minutes)"
	@go run ./build binary
	@exec ./bin/holdfast dev --data $(DATA)

.PHONY: build
build: ## build bin/holdfast with the web app inside, compressed for release
	@go run ./build binary -release

.PHONY: assets
assets: ## build only the web app, quickly
	@go run ./build assets

.PHONY: clean
clean: ## remove everything that was built; ./data stays
	@go run ./build clean
