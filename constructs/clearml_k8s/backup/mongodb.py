"""Dumps of MongoDB, made by the tools in its own image."""

from cdk8s_plus_25 import k8s

from clearml_k8s.backup.place import Place
from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.volume import scratch_volume
from clearml_k8s.parts.workload import Workload, run_as
from clearml_k8s.programs import text_of
from clearml_k8s.stores.address import MongodbAddress, MongodbConnection
from config.image import PulledImage

USER = 999  # of the image
SCRATCH_DIR = "/dump"
SCRATCH = k8s.VolumeMount(name="dump", mount_path=SCRATCH_DIR)


def backup(
    component: Component,
    store: MongodbAddress | MongodbConnection,
    place: Place,
    retention: int,
    image: PulledImage,
    rclone: PulledImage,
) -> Workload:
    """Dumps to the claim; or to the node, from where the dump goes into the bucket."""
    if place.bucket is None:
        dump = _tools("dump_mongodb", [place.folder, str(retention)], store, image, place.mount())
        return _workload(component, store, dump, place.volume)
    return _workload(
        component,
        store,
        place.bucket.container(
            rclone, "upload", [f"{SCRATCH_DIR}/*", place.bucket.remote, str(retention)], SCRATCH
        ),
        scratch_volume("dump"),
        _tools("dump_mongodb", [SCRATCH_DIR, "1"], store, image, SCRATCH),
        place,
    )


def restore(
    component: Component,
    store: MongodbAddress | MongodbConnection,
    place: Place,
    name: str,
    image: PulledImage,
    rclone: PulledImage,
) -> Workload:
    """Restores from the claim; or from the node, where the dump comes from the bucket."""
    if place.bucket is None:
        mount = place.mount(read_only=True)
        run = _tools("restore_mongodb", [f"{place.folder}/{name}"], store, image, mount)
        return _workload(component, store, run, place.volume)
    return _workload(
        component,
        store,
        _tools("restore_mongodb", [SCRATCH_DIR], store, image, SCRATCH),
        scratch_volume("dump"),
        place.bucket.container(
            rclone, "download", [place.bucket.remote, name, SCRATCH_DIR], SCRATCH
        ),
        place,
    )


def _workload(
    component: Component,
    store: MongodbAddress | MongodbConnection,
    main: Container,
    volume: k8s.Volume,
    first: Container | None = None,
    place: Place | None = None,
) -> Workload:
    bucket = place.bucket if place else None
    return Workload(
        component=component,
        main=main,
        init_containers=[first] if first else [],
        volumes=[volume],
        needs={"mongodb": store},
        peers=bucket.endpoints if bucket else [],
        security_context=run_as(USER),
    )


def _tools(
    program: str,
    args: list[str],
    store: MongodbAddress | MongodbConnection,
    image: PulledImage,
    mount: k8s.VolumeMount,
) -> Container:
    return Container(
        name=program.replace("_", "-"),
        image=image,
        command=["bash", "-c", text_of(f"{program}.sh"), program],
        args=args,
        env=store.client_environment,
        mounts=[mount],
        security_context=unprivileged(),
    )
