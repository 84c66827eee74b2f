"""What PostHog acknowledged beside what PostHog has: every difference found, and named by what caused it.

`ledger` is what was acknowledged, day by day, told by the plan's files and the checkpoint. `spans` cuts the time into
ranges to ask for, `counting` asks for each and compares; `progress` notes how far it came, so that it goes on there.
`patience` asks again for what is missing, as events may be on their way. Of what differs `looking` asks for the events
themselves, and `causes` judges: by the project's settings, by what is missing and what is not, by PostHog's own
warnings. `merges` asks of some of the planned merges whether they have come true. `verifier` does all of this in its
order, `verdict` is what comes of it.

Data goes one way: ledger → differences → looked at → found, each with its cause. This room only asks, and changes
nothing in the workdir but its own notes.
"""
