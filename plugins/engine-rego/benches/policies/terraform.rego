# How dangerous a Terraform plan is, and what in it is forbidden.
package terraform.review

report := {
	"approved": approved,
	"score": score,
	"violations": [violation | some violation in violations],
}

default approved := false

approved if {
	count(violations) == 0
	score < data.blast_radius
}

kinds := {change.type | some change in input.resource_changes}

of_kind[kind] := changes if {
	some kind in kinds
	changes := [change |
		some change in input.resource_changes
		change.type == kind
		change.mode == "managed"
	]
}

touched[kind][action] := number if {
	some kind, changes in of_kind
	some action in ["create", "delete", "update"]
	number := count([change | some change in changes; action in change.change.actions])
}

score := sum([points |
	some kind, weights in data.weights
	some action, weight in weights
	points := weight * touched[kind][action]
])

violations contains message if {
	some change in of_kind.aws_s3_bucket
	change.change.after.acl in {"public-read", "public-read-write"}
	message := sprintf("%v: is public", [change.address])
}

violations contains message if {
	some change in of_kind.aws_security_group
	some rule in change.change.after.ingress
	"0.0.0.0/0" in rule.cidr_blocks
	not harmless(rule)
	message := sprintf("%v: port %d is open to everybody", [change.address, rule.from_port])
}

violations contains message if {
	some change in input.resource_changes
	not "delete" in change.change.actions
	some tag in data.required_tags
	not change.change.after.tags[tag]
	message := sprintf("%v: tag %v is missing", [change.address, tag])
}

violations contains message if {
	some change in of_kind.aws_db_instance
	"delete" in change.change.actions
	change.change.before.deletion_protection
	message := sprintf("%v: is protected", [change.address])
}

violations contains message if {
	some change in of_kind.aws_instance
	size := change.change.after.instance_type
	not size in data.instance_types
	message := sprintf("%v: %v is not offered", [change.address, size])
}

harmless(rule) if {
	rule.from_port == rule.to_port
	rule.from_port in {80, 443}
}
