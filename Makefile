# Everything a checkout can do. Needs Python 3.11 or newer with pip; `make test` also needs a few Debian packages.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV := .tools/uv/bin/uv
PACKAGES := caddy chromium curl dovecot-imapd dovecot-lmtpd gammu-smsd git haproxy kannel kannel-extras libatomic1 libdbd-sqlite3 libmail-deliverystatus-bounceparser-perl libnet-smpp-perl libnet-ssleay-perl msmtp mutt nginx-light opendkim postfix postgresql swaks
# Each of these wants to be the one IMAP or mail server of the machine: they are only unpacked, and need libraries.
UNPACKED := courier-authlib courier-imap cyrus-common cyrus-imapd exim4-daemon-light opensmtpd
PACKAGES += libcourier-unicode4 libevent-2.1-7 libgamin0 libgdbm6 libgnutls-dane0 libical3 libidn12 libjansson4 libldap-2.5-0 libnsl2 libsasl2-modules libxapian30
# Node.js may come from elsewhere, and Debian's must not take its place.
PACKAGES += $(if $(shell command -v npm),,nodejs npm)

export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := 1
export UV_LINK_MODE := copy
export VIRTUAL_ENV := $(CURDIR)/.venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without compiled modules every start of a process compiles the whole house anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test bench lint lock packages npm unpacked clean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

setup: .venv/.installed ## make .venv with .venv/bin/bridge in it

run: setup ## start the demo: bridge, phone network and mailbox on this machine
	@exec .venv/bin/bridge demo

test: .venv/.installed-dev packages npm unpacked ## run all tests
	.venv/bin/pytest -q -n 4 --dist loadfile --no-loadscope-reorder

bench: PACKAGES := dovecot-imapd dovecot-lmtpd kannel postfix postgresql
bench: .venv/.installed-dev packages ## measure speed beside Postfix, Kannel and a bare aiosmtpd; as root, on a quiet machine
	.venv/bin/python -m bench

lint: .venv/.installed-dev ## check style, types and the import law
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

lock: $(UV) ## write requirements/*.lock anew from pyproject.toml
	$(LOCK) pyproject.toml --group build -o requirements/run.lock
	$(LOCK) pyproject.toml --group build --group dev -o requirements/dev.lock
	echo uv | $(LOCK) --no-annotate - -o requirements/uv.lock

clean: ## remove what setup, tests and checks made; keeps data/
	rm -rf .venv .tools build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find bridge tests -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK = $(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# uv makes the virtual environment: Debian's Python has pip, but its venv only with a package more.
$(UV): requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: name one with  make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 \
	  || { echo "pip is needed: on Debian run  apt-get install python3-pip" >&2; exit 1; }
	rm -rf .tools/uv
	$(PYTHON) -m pip install -q --root-user-action=ignore --target .tools/uv --require-hashes -r requirements/uv.lock
	@touch $@

.venv/bin/python: | $(UV)
	$(UV) venv -q --python $(PYTHON) .venv

.venv/.installed: requirements/run.lock pyproject.toml | .venv/bin/python
	$(UV) pip install -q --require-hashes -r requirements/run.lock
	$(UV) pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: requirements/dev.lock .venv/.installed
	$(UV) pip install -q --require-hashes -r requirements/dev.lock
	@touch $@

# What is installed here must not start serving the machine: policy-rc.d (invoke-rc.d(8)) keeps Debian from it.
packages:
	@missing=$$(for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || printf '%s ' $$package; done); \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo='sudo -n'; \
	else echo "Debian packages are missing. Run as root:  apt-get install $$missing" >&2; exit 1; fi; \
	policy=/usr/sbin/policy-rc.d; \
	if [ ! -e $$policy ]; then trap "$$sudo rm -f $$policy" EXIT; \
	  printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null; $$sudo chmod 755 $$policy; fi; \
	$$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing

# Servers for the tests, from Debian's packages; nothing of them is installed, or may be more than who runs it.
unpacked: .tools/unpacked/.installed

.tools/unpacked/.installed: | packages
	rm -rf $(@D) && mkdir -p $(@D)
	cd $(@D) && { apt-get download -q $(UNPACKED) || \
	  { $(if $(filter 0,$(shell id -u)),,sudo -n) apt-get update -q && apt-get download -q $(UNPACKED); }; }
	cd $(@D) && for each in *.deb; do dpkg-deb -x "$$each" .; rm "$$each"; done
	find $(@D) -type f -perm /6000 -exec chmod ug-s {} +
	@touch $@

# A foreign SMSC and a mail client for the tests, which need no more than these of npm; nothing of them runs while it is installed.
npm: .tools/npm/.installed

.tools/npm/.installed: tests/servers/npm/package.json tests/servers/npm/package-lock.json | packages
	rm -rf $(@D) && mkdir -p $(@D) && cp $^ $(@D)
	npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error
	@touch $@
