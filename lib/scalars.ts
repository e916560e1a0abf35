import { z } from "zod";

/** True or false; stack files hold plain values as text, values inside objects as what they are. */
export const boolean = z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean(),
);
