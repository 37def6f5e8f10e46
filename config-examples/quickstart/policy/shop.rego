package shop

# Who may do what in the shop: customers look and buy, clerks look and refund.
default allow := false

allow if {
	some role in data.users[input.user].roles
	input.action in data.roles[role]
}
