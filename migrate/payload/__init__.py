"""Event frame → the payload texts that are sent, checked.

`checks` finds what PostHog would refuse, drop or cut; `properties` lays together what stands inside
`properties`, `special` knows the names with a meaning of their own, `required` what events of such names must hold;
`payloads` puts the whole event together.
"""
