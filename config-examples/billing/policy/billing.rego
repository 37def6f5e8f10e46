package billing

# Who is a user and has paid may go on.
default allow := false

allow if {
	data.users[input.user]
	data.accounts[input.user].has_paid
}
