"""Copies of the file server's files."""

from typing import Any, NamedTuple

from cdk8s_plus_25 import k8s

from clearml_k8s.backup.place import Place
from clearml_k8s.fileserver import UPLOAD_DIR
from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.workload import Workload
from clearml_k8s.programs import text_of
from config.image import PulledImage
from config.types.structs import overlaid

# Everybody may read what the file server writes as root; its folder is written as root's group.
SECURITY_CONTEXT = k8s.PodSecurityContext(
    run_as_user=1000,
    run_as_group=0,
    fs_group=0,
    fs_group_change_policy="OnRootMismatch",
    seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
)


class Files(NamedTuple):
    """The file server's volume, and who copies it.

    `security_context` is that of the file server where the values name its user; `node_of`
    is the selector of its pods where they alone can mount the volume.
    """

    volume: k8s.Volume
    node_of: dict[str, str] | None
    security_context: Any
    image: PulledImage
    rclone: PulledImage

    def backup(self, component: Component, place: Place, retention: int) -> Workload:
        """Copies the files to the claim or into the bucket."""
        mount = self._mount(read_only=True)
        if place.bucket is None:
            args = ["backup", UPLOAD_DIR, place.folder, str(retention)]
            main = self._copies(args, mount, place.mount())
        else:
            args = [UPLOAD_DIR, place.bucket.remote, str(retention)]
            main = place.bucket.container(self.rclone, "upload", args, mount)
        return self._workload(component, place, main, must_be_beside=True)

    def restore(self, component: Component, place: Place, name: str) -> Workload:
        """Copies them back."""
        if place.bucket is None:
            args = ["restore", place.folder, name, UPLOAD_DIR]
            main = self._copies(args, self._mount(), place.mount(read_only=True))
        else:
            args = [place.bucket.remote, name, UPLOAD_DIR]
            main = place.bucket.container(self.rclone, "download", args, self._mount())
        return self._workload(component, place, main, must_be_beside=False)

    def _mount(self, *, read_only: bool | None = None) -> k8s.VolumeMount:
        return k8s.VolumeMount(name=self.volume.name, mount_path=UPLOAD_DIR, read_only=read_only)

    def _copies(self, args: list[str], *mounts: k8s.VolumeMount) -> Container:
        return Container(
            name="copies",
            image=self.image,
            command=["python3", "-c", text_of("copies.py")],
            args=args,
            mounts=mounts,
            security_context=unprivileged(),
        )

    def _workload(
        self, component: Component, place: Place, main: Container, *, must_be_beside: bool
    ) -> Workload:
        return Workload(
            component=component,
            main=main,
            volumes=[self.volume, *([] if place.bucket else [place.volume])],
            peers=place.bucket.endpoints if place.bucket else [],
            security_context=overlaid(SECURITY_CONTEXT, self.security_context),
            affinity=self._beside(required=must_be_beside) if self.node_of else None,
        )

    def _beside(self, *, required: bool) -> k8s.Affinity:
        """On the node of the file server; while that is down, on any."""
        term = k8s.PodAffinityTerm(
            topology_key="kubernetes.io/hostname",
            label_selector=k8s.LabelSelector(match_labels=self.node_of),
        )
        if required:
            beside = k8s.PodAffinity(required_during_scheduling_ignored_during_execution=[term])
        else:
            weighted = k8s.WeightedPodAffinityTerm(weight=100, pod_affinity_term=term)
            beside = k8s.PodAffinity(
                preferred_during_scheduling_ignored_during_execution=[weighted]
            )
        return k8s.Affinity(pod_affinity=beside)
