# Holdfast. `make help` lists what there is to do.

.DEFAULT_GOAL := help
DATA ?= ./data

# What runs in the browser is vetted as the browser's compiler sees it.
WASM := GOOS=js GOARCH=wasm
# Packages where goroutines share data. Pure code has nothing to race, and the detector makes it ten times slower.
RACE := ./build/browser ./edge/... $(addprefix ./sync/,guest/... link natsd replica/... sim/...) \
  $(addprefix ./server/,api biller control directory hub identity metering outbox restapi/... tenancy throttle webhook)

# Tests that look at the whole tree or at the built program: go's test cache does not see what those depend on.
FRESH := holdfast/build/(e2e|rules)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## build what changed and start Holdfast on http://localhost:8080, data in ./data
	@echo "building; the first time takes a few minutes"
	@go run ./build binary
	@exec ./bin/holdfast dev --data $(DATA)

.PHONY: build
build: ## build bin/holdfast with the web app inside, compressed for release
	@go run ./build binary -release

.PHONY: assets
assets: ## build only the web app, quickly
	@go run ./build assets

.PHONY: test
test: ## install what tests need, build, and run all tests (up to 15 minutes)
	@go run ./build needs
	@go run ./build assets -release
	@$(MAKE) --no-print-directory vet
	go test -timeout 30m $$(go list ./... | grep -vxE '$(FRESH)')
	go test -timeout 30m -count=1 $$(go list ./... | grep -xE '$(FRESH)')
	go test -timeout 30m -race -short $$(go list $(RACE))

.PHONY: vet
vet:
	go vet ./...
	$(WASM) go vet $$($(WASM) go list ./wasm/... ./app/... ./sync/...)

.PHONY: check
check: ## vet, formatting, imports, file lengths, byte budgets, Lighthouse, generated files, go.mod
	@go run ./build needs
	@go run ./build assets -release
	@$(MAKE) --no-print-directory vet
	go test -count=1 ./build/rules
	go test -count=1 -run TestLighthouse ./build/e2e
	go run ./build generated
	@test -e deps.go || go mod tidy -diff

.PHONY: bench
bench: ## measure Holdfast beside its peers and write build/bench/RESULTS.md
	@go run ./build needs
	@go run ./build assets -release
	go run ./build/bench

.PHONY: clean
clean: ## remove everything that was built; ./data stays
	@go run ./build clean
