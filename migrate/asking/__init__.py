"""PostHog, asked what it has: its private API, read and never written to.

`target` says where it is asked and with which key, `api` asks: three questions at once, 240 a minute, again where it
may help. `http` is one question and one answer, `answers` what an answer means. `queries` has every question in HogQL
that is ever asked, word for word, so that the sandbox can know them all.

`capture` looks at the other side, where events are sent: that PostHog answers there, without sending any. `project` is
what the private API says of a project, `checked` what that means for a plan: the verdict of `migrate check`.

This room reads: nothing in it creates, changes or deletes anything in PostHog. It knows of `apply` what both need to
talk HTTP: hosts and proxies, troubles in plain words, waiting. It sends no event and knows no sender.
"""
