// Package notify tells people of runs: by webhook, in Slack's format or in one of its own, and by e-mail.
//
// A notifier is a block of the job directory, known by "type.name". Its configuration is read where the worker runs, may hold
// secrets, and is never stored. [Notifiers.Notify] sends one notice once and never tries again: its errors tell the caller whether
// that is safe.
//
// # Webhook
//
//	url      where to post; the whole of it is taken for a secret, as with Slack's incoming webhooks
//	format   "slack" (the default) or "json"
//	headers  sent along; their values are secrets
//
// Every request carries the notice's id in the header Idempotency-Key. Any 2xx answer counts as delivered; redirects are not
// followed.
//
// Format "slack" is the message format of Slack's incoming webhooks: text and blocks. The text says everything by itself, for the
// systems that read Slack's format without its blocks, such as Mattermost.
//
// Format "json" is an object of version 1. Members may be added within a version; none changes its meaning or goes away.
//
//	version      1
//	id           names the notice: equal for a notice that is sent again
//	kind         "failed", "rejected" or "empty"
//	title        the notice in one line, for people
//	job          the job's name
//	summary      the job's description; absent if it has none
//	outcome      "completed", "completed_with_rejects", "partial", "skipped", "failed" or "cancelled"
//	error        why the run failed; absent otherwise
//	run          kind ("sync", "backfill" or "retry"), workflow_id, run_id, url, started, ended
//	window       from (inclusive), to (exclusive); absent if the run had none
//	counts       listed = known + new, new = created + rejected + deferred + failed
//	new_rejects  how many of the rejected records no run had rejected before
//	rejects      a few of the records that were not written: id, time, title, url, state, reason, detail; never null
//
// Times are RFC 3339 in UTC. Participants' addresses are in neither format.
//
// # E-mail
//
//	host, port          the mail server; port 587 by default
//	username, password  for AUTH PLAIN, which is used over TLS only; without a username, none
//	from, to            addresses, with or without a name; to is a list
//	starttls            whether the connection must turn to TLS; true by default, without effect on port 465, which is TLS at once
//
// The Message-ID is made from the notice's id, so that mail systems recognise one that arrives twice.
package notify
