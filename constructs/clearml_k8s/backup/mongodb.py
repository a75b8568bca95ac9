"""Dumps of MongoDB, made by the tools in its own image."""

from clearml_k8s.backup.restic import SCRATCH, SCRATCH_DIR, ResticRepository
from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.workload import Workload, run_as
from clearml_k8s.programs import text_of
from clearml_k8s.stores.address import MongodbAddress, MongodbConnection
from config.image import PulledImage

USER = 999  # of the image
DUMP_DIR = f"{SCRATCH_DIR}/dump"
ARCHIVES = ("backend.archive", "auth.archive")  # as the programs call them


def backup(
    component: Component,
    store: MongodbAddress | MongodbConnection,
    repository: ResticRepository,
    retention: int,
    image: PulledImage,
) -> Workload:
    """Return the workload that dumps to the node, and puts the dump into the repository."""
    dump = _tools("dump_mongodb", store, image)
    return _workload(component, store, repository, dump, repository.backup(DUMP_DIR, retention))


def restore(
    component: Component,
    store: MongodbAddress | MongodbConnection,
    repository: ResticRepository,
    name: str,
    image: PulledImage,
) -> Workload:
    """Return the workload that fetches a dump to the node, and restores it."""
    fetch = repository.fetch(name, DUMP_DIR, *ARCHIVES)
    return _workload(component, store, repository, fetch, _tools("restore_mongodb", store, image))


def _workload(
    component: Component,
    store: MongodbAddress | MongodbConnection,
    repository: ResticRepository,
    first: Container,
    main: Container,
) -> Workload:
    return Workload(
        component=component,
        init_containers=[first],
        main=main,
        volumes=repository.volumes,
        needs={"mongodb": store},
        peers=repository.endpoints,
        security_context=run_as(USER),
    )


def _tools(
    program: str, store: MongodbAddress | MongodbConnection, image: PulledImage
) -> Container:
    return Container(
        name=program.replace("_", "-"),
        image=image,
        command=["bash", "-c", text_of(f"{program}.sh"), program],
        args=[DUMP_DIR],
        env=store.client_environment,
        mounts=[SCRATCH],
        security_context=unprivileged(read_only=True),
        does_main_work=True,
    )
