# Who may call which route of an API, by the claims of a token that was verified before.
package httpapi.authz

default allow := false

decision := {"allow": allow, "status": status, "tenant": tenant}

default status := 403

status := 200 if allow

status := 401 if not authenticated

default tenant := ""

tenant := input.token.claims.tenant

authenticated if {
	input.token.claims.iss == data.issuer
	data.audience in input.token.claims.aud
	input.token.claims.exp > input.time
	input.token.claims.nbf <= input.time
}

roles contains role if some role in input.token.claims.roles

roles contains role if {
	some group in input.token.claims.groups
	some role in data.group_roles[group]
}

scopes := {scope | some scope in split(input.token.claims.scope, " ")}

allow if {
	input.method == "GET"
	input.path == ["health"]
}

allow if {
	authenticated
	input.method == "GET"
	input.path = ["tenants", id, "orders"]
	id == tenant
	"orders:read" in scopes
}

allow if {
	authenticated
	input.method == "GET"
	input.path = ["tenants", id, "orders", _]
	id == tenant
	"orders:read" in scopes
}

allow if {
	authenticated
	input.method in {"POST", "PUT"}
	input.path = ["tenants", id, "orders", _]
	id == tenant
	"orders:write" in scopes
	"clerk" in roles
}

allow if {
	authenticated
	input.method == "DELETE"
	input.path = ["tenants", id, "orders", order]
	id == tenant
	"manager" in roles
	not data.locked_orders[order]
}

allow if {
	authenticated
	input.path[0] == "reports"
	input.method == "GET"
	"auditor" in roles
}

allow if {
	authenticated
	"admin" in roles
	glob.match("10.*.*.*", ["."], input.client)
}
