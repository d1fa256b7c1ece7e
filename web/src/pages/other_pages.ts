// The other pages: loaded together.

export { Agents, OneAgent } from './agents'
export { Contacts, OneContact } from './contacts'
export { OneDelivery } from './deliveries'
export { DoNotCall } from './dnc'
export { Numbers } from './numbers'
export { Overview } from './overview'
export { Settings } from './settings'
export { OneWebhook, Webhooks } from './webhooks'
