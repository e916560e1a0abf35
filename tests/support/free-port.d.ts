/** A TCP port of the loopback that nothing listens on now, and that no outgoing connection is given. */
export function freePort(): Promise<number>;
