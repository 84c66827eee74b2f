"""The user's own rules: what is left out, hashed, shortened, renamed or added between a mapping and the plan.

    [rules] of a configuration file ─declared─▶ Rules ─frames─▶ which events, whose, under which name
                                                  └────bags───▶ what stands in properties, at which depth

A rule holds for whatever a value comes in: properties of events, `$set` and `$set_once`, profiles, groups. What goes
into a payload goes through `bags` as the payload's own text, after all else is put into it, so that no way around it
is left; what is told of persons and groups goes through it before it is noted anywhere. Where there are no rules, none
of this is called.
"""
