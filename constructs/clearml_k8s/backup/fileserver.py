"""Backups of the file server's files, made and restored as the user that it runs as."""

from typing import NamedTuple

from cdk8s_plus_25 import k8s

from clearml_k8s.backup.restic import TOOLS_DIR, ResticRepository
from clearml_k8s.fileserver import UPLOAD_DIR
from clearml_k8s.parts.container import Container
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.workload import Placed, Workload
from clearml_k8s.programs import text_of
from config.image import PulledImage
from config.types.structs import overlaid

READ_ONLY = k8s.SecurityContext(read_only_root_filesystem=True)


class Files(NamedTuple):
    """The file server's volume, and who reads and writes it beside the server itself.

    `image` has the Python that unpacks what restic reads: restic itself would give files to the
    owners that they had, which root without capabilities may not.
    """

    server: Placed
    volume: k8s.Volume
    on_one_node: bool
    image: PulledImage

    def backup(
        self, component: Component, repository: ResticRepository, retention: int
    ) -> Workload:
        """Return the workload that puts the files into the repository."""
        main = repository.backup(UPLOAD_DIR, retention, self._mount(read_only=True))
        return self._workload(component, repository, main, must_be_beside=True)

    def restore(self, component: Component, repository: ResticRepository, name: str) -> Workload:
        """Return the workload that puts the files of a backup back."""
        main = Container(
            name="restore-files",
            image=self.image,
            command=["python3", "-c", text_of("restore_files.py")],
            args=[TOOLS_DIR, UPLOAD_DIR],
            env={
                **repository.environment,
                "SSL_CERT_FILE": f"{TOOLS_DIR}/ca-certificates.crt"
                if repository.place.bucket
                else None,
            },
            mounts=[*repository.mounts(read_only=True), self._mount()],
        )
        lend = repository.lend(name)
        return self._workload(component, repository, main, lend, must_be_beside=False)

    def _mount(self, *, read_only: bool | None = None) -> k8s.VolumeMount:
        return k8s.VolumeMount(name=self.volume.name, mount_path=UPLOAD_DIR, read_only=read_only)

    def _workload(
        self,
        component: Component,
        repository: ResticRepository,
        main: Container,
        *first: Container,
        must_be_beside: bool,
    ) -> Workload:
        context = overlaid(self.server.container_context, READ_ONLY)
        containers = [each._replace(security_context=context) for each in (main, *first)]
        return Workload(
            component=component,
            main=containers[0],
            init_containers=containers[1:],
            volumes=[self.volume, *repository.volumes],
            peers=repository.endpoints,
            security_context=self.server.pod_context,
            affinity=self._beside(required=must_be_beside) if self.on_one_node else None,
        )

    def _beside(self, *, required: bool) -> k8s.Affinity:
        """On the node of the file server; while that is down, on any."""
        term = k8s.PodAffinityTerm(
            topology_key="kubernetes.io/hostname",
            label_selector=k8s.LabelSelector(
                match_labels=dict(self.server.workload.component.selector)
            ),
        )
        if required:
            beside = k8s.PodAffinity(required_during_scheduling_ignored_during_execution=[term])
        else:
            weighted = k8s.WeightedPodAffinityTerm(weight=100, pod_affinity_term=term)
            beside = k8s.PodAffinity(
                preferred_during_scheduling_ignored_during_execution=[weighted]
            )
        return k8s.Affinity(pod_affinity=beside)
