# SPDX-License-Identifier: GPL-2.0-or-later
# make demo   set up what is missing, zone the demo city through the plugin in QGIS, evaluate it, draw both
# make test   set up what is missing, run every test, the real qgis_process included
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup stage develop package zip demo test test-structure test-engine test-qgis test-qgis-tools \
        test-qgis-windows test-matrix lint format bench screenshots models templates i18n-update clean

ENGINE := .venv/bin/python
QGIS := .venv-qgis/bin/python
DEMO := build/demo
MATRIX ?= ../shared/tools/qgis-matrix
# Steps of the evaluation of the demo city, in the order in which results build on each other.
EVALUATION := flatdelta hillyprovince alignraster slopeandrelief sensitivity unitstatistics keyareas conservationrate
OFFSCREEN := env QT_QPA_PLATFORM=offscreen PYTHONWARNINGS=ignore SWC_ZONING_PYTHON=$(CURDIR)/$(ENGINE)

help:
	@grep -E '^# make' Makefile | cut -c3-
	@echo 'others: setup stage develop package lint format bench screenshots models templates test-matrix i18n-update clean'

setup:
	@tools/setup.sh

stage: setup
	@$(ENGINE) tools/stage.py --output build/stage

# Links to the sources: start QGIS with QGIS_PLUGINPATH=build/develop and edit while it runs.
develop: setup
	@$(ENGINE) tools/stage.py --output build/develop --link

# One zip that installs without internet: the libraries of tools/vendored.json are in it.
package: setup
	@$(ENGINE) tools/stage.py --output build/stage --zip dist

zip: package

demo: stage
	@rm -rf $(DEMO)
	@$(ENGINE) -m swc_zoning demo --output $(DEMO)/city
	@SWC_ZONING_LANG=zh tools/qgis_process.sh run swc_zoning:delineatezones \
	  --JOB=$(CURDIR)/$(DEMO)/city/job.json --OUTPUT=$(CURDIR)/$(DEMO)/result
	@echo
	@PYTHONPATH=$(CURDIR) $(ENGINE) tools/zone_table.py $(DEMO)/result/summary.json --csv $(DEMO)/zones.csv
	@PYTHONWARNINGS=ignore PYTHONPATH=$(CURDIR) $(QGIS) tools/demo_map.py --result $(DEMO)/result --job $(DEMO)/city/job.json \
	  --table $(DEMO)/zones.csv --output $(DEMO)/map.png
	@for step in $(EVALUATION); do echo "evaluate $$step"; $(ENGINE) -m swc_zoning evaluate $$step \
	  $(DEMO)/city/evaluation/$$step.json --output $(DEMO)/city/evaluation/$$step --lang zh || exit 1; done
	@$(ENGINE) -m swc_zoning run $(DEMO)/city/evaluation/job.json --output $(DEMO)/evaluated --lang zh
	@PYTHONWARNINGS=ignore PYTHONPATH=$(CURDIR) $(QGIS) tools/evaluation_pictures.py --city $(DEMO)/city --output $(DEMO)
	@echo
	@echo '成果 result  $(DEMO)/result (zoning.gpkg, summary.json)'
	@echo '面积 areas   $(DEMO)/zones.csv'
	@echo '地图 map     $(DEMO)/map.png'
	@echo '评价 evaluation  $(DEMO)/city/evaluation, evaluation-patches.png, evaluation-methods.png'
	@echo '评价成果 evaluated  $(DEMO)/evaluated (the same city with its evaluated layers)'

test: stage test-structure test-engine test-qgis

test-structure: stage
	@$(ENGINE) -m pytest tests/test_structure.py

test-engine: stage
	@$(ENGINE) -m pytest tests/engine -n 2 --dist loadfile --ignore tests/engine/test_tasks.py
	@$(ENGINE) -m pytest tests/engine/test_tasks.py

# Tools and windows at once, each in a process and with a root of its own; -k: both are heard, whichever fails.
test-qgis: stage
	@$(MAKE) --no-print-directory -k -j2 -Otarget test-qgis-tools test-qgis-windows

test-qgis-tools: SUITE := qgis
test-qgis-windows: SUITE := gui
test-qgis-tools test-qgis-windows:
	@mkdir -p build/test-$(SUITE)
	@if compgen -G 'tests/$(SUITE)/test_*.py' >/dev/null; then \
	  $(OFFSCREEN) $(QGIS) -m pytest -c tests/qgis/pytest.ini --rootdir=build/test-$(SUITE) tests/$(SUITE); fi

lint: stage
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/flake8 --isolated --select QGS1,QGS4 --extend-ignore QGS105 \
	  --per-file-ignores '*/compat.py:QGS402' swc_zoning processing_algs
	@$(ENGINE) tools/scan.py build/stage/swc_zoning

format: setup
	@.venv/bin/ruff format .

# Every QGIS that is to be supported, each in a chroot of its own (root; see README, Code).
test-matrix:
	@$(MATRIX) run -k -t 3600 $(CURDIR) make test

# The shipped Word templates anew, of resources/chapter/outline.json.
templates: setup
	@$(ENGINE) tools/make_templates.py

# The shipped models anew; QGIS 3.22 writes what later versions read.
models: stage
	@$(OFFSCREEN) PYTHONPATH=$(CURDIR)/build/stage $(QGIS) tools/make_models.py

# Pictures of every page in the real QGIS, in both languages, into build/screenshots.
screenshots: stage
	@$(ENGINE) tools/screenshots.py

bench: setup
	@$(ENGINE) benchmarks/run.py
	@$(ENGINE) benchmarks/scale.py

i18n-update: setup
	@pylupdate5 swc_zoning/plugin.py $(wildcard swc_zoning/gui/*.py) -ts i18n/swc_zoning_zh_CN.ts

clean:
	@rm -rf build dist
