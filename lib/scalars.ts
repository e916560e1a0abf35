import { z } from "zod";

/** Text that a terminal, a YAML file and a line of a log show as it is: no controls, no line ends, no marks that turn the writing around. */
export const PRINTABLE = /^(?:[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|[\u200c\u200d])+$/u;

/** True or false; stack files hold plain values as text, values inside objects as what they are. */
export const boolean = z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean(),
);

/** A whole number. As text it has no zeros in front: some would read it as octal. */
export const integer = (min: number, max: number) =>
    z.preprocess(
        (value) =>
            typeof value === "string" && /^(0|[1-9]\d{0,8})$/.test(value) ? Number(value) : value,
        z.int().min(min).max(max),
    );

/** A text that arrives as it was given: half a character would become another one on its way to a provider. */
export const wellFormed = z.string().regex(/^[^\p{Cs}\0]+$/u);
