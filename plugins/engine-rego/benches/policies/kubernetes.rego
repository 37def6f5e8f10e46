# What may be created in a cluster.
package kubernetes.admission

response := {
	"allowed": count(deny) == 0,
	"reasons": sort([reason | some reason in deny]),
}

workloads := {"Deployment", "StatefulSet", "DaemonSet", "Job"}

pod := input.request.object if input.request.kind.kind == "Pod"

pod := input.request.object.spec.template if input.request.kind.kind in workloads

containers contains container if {
	some field in ["containers", "initContainers"]
	some container in pod.spec[field]
}

exempt if input.request.namespace in data.exempt_namespaces

deny contains message if {
	not exempt
	some container in containers
	not trusted(container.image)
	message := sprintf("container %v: image %v is from no trusted registry", [container.name, container.image])
}

deny contains message if {
	some container in containers
	tag(container.image) == "latest"
	message := sprintf("container %v: image has no fixed tag", [container.name])
}

deny contains message if {
	not exempt
	some container in containers
	container.securityContext.privileged
	message := sprintf("container %v: must not be privileged", [container.name])
}

deny contains message if {
	some container in containers
	some resource in ["cpu", "memory"]
	not container.resources.limits[resource]
	message := sprintf("container %v: no limit for %v", [container.name, resource])
}

deny contains message if {
	some label in data.required_labels
	not input.request.object.metadata.labels[label]
	message := sprintf("label %v is missing", [label])
}

deny contains message if {
	some volume in pod.spec.volumes
	path := volume.hostPath.path
	every allowed in data.allowed_host_paths {
		not startswith(path, allowed)
	}
	message := sprintf("volume %v: host path %v is not allowed", [volume.name, path])
}

deny contains "pods must not share the host's network" if {
	not exempt
	pod.spec.hostNetwork == true
}

trusted(image) if {
	some registry in data.registries
	startswith(image, concat("", [registry, "/"]))
}

tag(image) := parts[count(parts) - 1] if {
	parts := split(image, ":")
	count(parts) > 1
} else := "latest"
