// The pages about campaigns and their calls, loaded together.

export { OneCall, Calls } from './calls'
export { Campaign } from './campaign'
export { Wizard } from './wizard'
