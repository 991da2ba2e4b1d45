export { CpuSampler } from './cpu-sampler.js'
export { type CpuSamples, SampleSum } from './cpu-samples.js'
export { foldProfile } from './fold-profile.js'
export { nameBundled, nameModules } from './user-code.js'
