/** How the trace files of a run folder are called: `traces/<service>-<instanceId>.otlp.jsonl`, older parts with `.<n>`. */
export const traceFolder = 'traces'
export const traceFileSuffix = '.otlp.jsonl'
