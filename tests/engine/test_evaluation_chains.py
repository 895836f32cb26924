# SPDX-License-Identifier: GPL-2.0-or-later
"""Chains of algorithms: what their declaration promises, and the two shipped ones on small cities."""

import pytest

from swc_zoning.engine.evaluation import chains, declared

CHAINS = chains.chains()
#: What a parameter takes from outputs of another kind.
FITTING = {"raster": {"raster", "rasters", "raster_or_number"}, "vector": {"vector", "vectors"}}
FITTING["table"] = {"table"}


def of(parameters):
    return {one.name: one for one in parameters}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_every_step_takes_what_the_chain_or_a_step_before_it_has(chain):
    made, own = {}, of(chain.algorithm.parameters)
    for step in chain.steps:
        algorithm = declared.find(step.algorithm)
        wanted = of(algorithm.parameters)
        assert set(step.given) <= set(wanted), step.id
        for name, sources in step.given.items():
            for source in sources:
                if source.step:
                    assert wanted[name].kind in FITTING[made[source.step, source.output]], (step.id, name)
                elif source.parameter:
                    assert own[source.parameter].kind == wanted[name].kind or wanted[name].kind in (
                        "raster_or_number",
                    ), (step.id, name)
        made |= {(step.id, one.name): one.kind for one in algorithm.outputs}
    assert set(chain.kept.values()) <= set(made)


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_what_a_step_requires_the_chain_requires_or_makes(chain):
    own = of(chain.algorithm.parameters)
    for step in chain.steps:
        for one in declared.find(step.algorithm).parameters:
            if one.required:
                for source in step.given[one.name]:
                    given = source.step or source.value is not None
                    assert given or own[source.parameter].required, one.name


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_every_parameter_of_a_chain_is_used_and_every_file_has_its_own_name(chain):
    used = {source.parameter for step in chain.steps for sources in step.given.values() for source in sources}
    assert set(of(chain.algorithm.parameters)) == used - {""}
    files = [one.file for one in chain.algorithm.outputs]
    assert len(files) == len(set(files))


@pytest.mark.parametrize("name", [*declared.algorithms(), *CHAINS])
def test_every_field_is_one_of_a_layer_that_is_given(name):
    parameters = of(chains.find(name).parameters)
    for one in parameters.values():
        if one.kind == "field":
            assert parameters[one.facts["of"]].kind == "vector", one.name


def test_no_chain_has_the_name_of_an_algorithm():
    assert not set(CHAINS) & set(declared.algorithms())
