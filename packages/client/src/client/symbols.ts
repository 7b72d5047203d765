/** Keys of what a façade (client, pool, cluster, Sentinel client) holds. Internal: not exported by the package. */

/** The part behind a façade: `ClientCore`, `PoolCore`, `ClusterCore`, `SentinelCore`. */
export const CORE = Symbol('core');
/** Command options of a view made by `withCommandOptions` and its like. */
export const OPTIONS = Symbol('options');
/** What a façade was created with; behind a function, because it has passwords and a property can be printed. */
export const GIVEN = Symbol('given');
/** The client itself, on its views. */
export const SELF = Symbol('self');
