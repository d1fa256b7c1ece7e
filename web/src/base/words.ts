// The text of every status, rule and error. A test compares the keys with docs/openapi.yaml.

import type {
	AgentStatus, AuditAction, AuditObject, BatchCallContactStatus, BatchCallStatus, CallOutcome, CallStatus, DeliveryStatus, ErrorCode, EventType,
	Gate, GateName, RetryOutcome, Scope,
} from 'api-types'

// The tone of a state, shown by colour and by shape.
export type Tone = 'ok' | 'busy' | 'wait' | 'warn' | 'bad' | 'off'
export type Shape = 'dot' | 'ring' | 'clock' | 'pause' | 'half' | 'triangle' | 'cross' | 'dash' | 'square'

export interface Word {
	text: string
	tone: Tone
	shape: Shape
	hint?: string
}

const word = (text: string, tone: Tone, shape: Shape, hint?: string): Word => ({ text, tone, shape, hint })

export const campaignWords: Record<BatchCallStatus, Word> = {
	draft: word('draft', 'off', 'ring', 'Not scheduled yet'),
	scheduled: word('scheduled', 'wait', 'clock', 'Its first call is ahead'),
	active: word('active', 'ok', 'dot', 'It calls when its rules allow it'),
	paused: word('paused', 'warn', 'pause', 'Nothing new is dispatched'),
	completed: word('completed', 'ok', 'square', 'Every contact has ended'),
	failed: word('failed', 'bad', 'triangle', 'It stopped: remove the cause and schedule it again'),
	cancelled: word('cancelled', 'off', 'cross', 'Ended by hand'),
}

export const contactWords: Record<BatchCallContactStatus, Word> = {
	pending: word('not planned', 'off', 'ring'),
	scheduled: word('waits', 'wait', 'clock'),
	in_progress: word('in flight', 'busy', 'half'),
	completed: word('completed', 'ok', 'dot'),
	failed: word('failed', 'bad', 'triangle'),
	voicemail: word('voicemail', 'wait', 'square'),
	no_answer: word('no answer', 'warn', 'ring'),
	busy: word('busy', 'warn', 'dash'),
	cancelled: word('cancelled', 'off', 'cross'),
	skipped: word('skipped', 'off', 'dash'),
}

export const callWords: Record<CallStatus, Word> = {
	queued: word('queued', 'wait', 'clock', 'Its dialer has not accepted it yet'),
	dispatched: word('dialing', 'busy', 'half', 'Its dialer has accepted it'),
	ringing: word('ringing', 'busy', 'half'),
	in_progress: word('in call', 'busy', 'dot'),
	completed: word('completed', 'ok', 'dot'),
	failed: word('failed', 'bad', 'triangle'),
	no_answer: word('no answer', 'warn', 'ring'),
	busy: word('busy', 'warn', 'dash'),
	voicemail: word('voicemail', 'wait', 'square'),
	cancelled: word('cancelled', 'off', 'cross'),
}

export const agentWords: Record<AgentStatus, Word> = {
	draft: word('draft', 'off', 'ring', 'It names no webhook yet'),
	creating: word('being sent to its dialer', 'wait', 'clock'),
	active: word('active', 'ok', 'dot', 'Campaigns may use it'),
	failed: word('failed', 'bad', 'triangle', 'Its dialer did not accept it'),
}

export const deliveryWords: Record<DeliveryStatus, Word> = {
	waiting: word('waiting', 'wait', 'clock'),
	delivered: word('delivered', 'ok', 'dot'),
	failed: word('failed', 'bad', 'triangle'),
}

export const circuitWords: Record<'closed' | 'open' | 'half_open', Word> = {
	closed: word('answers', 'ok', 'dot'),
	open: word('does not answer', 'bad', 'triangle'),
	half_open: word('being tried', 'warn', 'half'),
}

export const outcomeWords: Record<CallOutcome, string> = {
	completed: 'completed', failed: 'failed', no_answer: 'no answer', busy: 'busy', voicemail: 'voicemail', cancelled: 'cancelled',
}

export const retryWords: Record<RetryOutcome, string> = {
	failed: 'failed', no_answer: 'no answer', busy: 'busy', voicemail: 'voicemail',
}

export const eventWords: Record<EventType, string> = {
	'call.requested': 'A call to place',
	'agent.sync': 'An agent as configured',
	'batch.status.changed': 'A campaign changed its state',
	'batch.completed': 'A campaign is completed',
	'call.started': 'A call began',
	'call.ended': 'A call ended',
	'call.failed': 'A call failed',
	'webhook.test': 'A test',
	'webhook.disabled': 'A webhook was switched off',
}

// Events that are only valid at one moment are not sent again.
export const momentary: EventType[] = ['call.requested', 'agent.sync']
// Events that a webhook may subscribe to.
export const subscribable: EventType[] = ['batch.status.changed', 'batch.completed', 'call.started', 'call.ended',
	'call.failed', 'webhook.disabled']

export const scopeWords: Record<Scope, string> = {
	read: 'see everything', write: 'change everything but keys and limits', reports: 'report calls', admin: 'keys and limits',
}

export const objectWords: Record<AuditObject, string> = {
	campaign: 'Campaign', agent: 'Agent', number: 'Number', webhook: 'Webhook', delivery: 'Delivery', folder: 'Folder', contact: 'Contact',
	do_not_call: 'Do-not-call list', call: 'Call', key: 'Key', organization: 'Organisation', person: 'Person', installation: 'Installation',
}

export const actionWords: Record<AuditAction, string> = {
	created: 'created', changed: 'changed', moved: 'moved', deleted: 'deleted', imported: 'imported', added: 'added to', removed: 'removed',
	assigned: 'assigned', unassigned: 'taken from its agent', secret_renewed: 'given a new secret', tested: 'tested', sent_again: 'sent again', synced: 'sent to its dialer',
	revoked: 'revoked', cancelled: 'cancelled', linked: 'opened by a link', exported: 'exported', erased: 'erased', migrated: 'migrated',
	rekeyed: 'sealed again', recovered: 'recovered', paused: 'paused', resumed: 'resumed',
}

export const errorWords: Record<ErrorCode, string> = {
	bad_request: 'The request was not understood.',
	unauthorized: 'This API key is not known.',
	forbidden: 'Your key may not do this.',
	not_found: 'It does not exist in this organisation.',
	method_not_allowed: 'This is not allowed here.',
	idempotency_conflict: 'This page sent one key for two requests. That is a fault of Outdial: please tell us.',
	precondition_failed: 'Somebody else changed it meanwhile.',
	payload_too_large: 'The file is too large: at most 64 MiB.',
	unsupported_media_type: 'This kind of file is not supported: it must be CSV.',
	organization_moved: 'This organisation is in another cell now.',
	validation_error: 'Some fields need another value.',
	invalid_state: 'Its state does not allow this.',
	agent_not_ready: 'The agent is not active.',
	no_phone_number_configured: 'There is no number to call from.',
	no_contacts: 'There are no contacts yet.',
	contact_limit: 'The contact limits of the organisation hold this number back.',
	rate_limit_exceeded: 'Too many requests: wait a moment.',
	internal_error: 'Something went wrong inside Outdial. Please tell us, with the request id.',
	unavailable: 'Outdial cannot answer now.',
}

export const reasonWords: Record<string, string> = {
	duplicate: 'twice in the campaign',
	do_not_call: 'on the do-not-call list',
	no_calling_window: 'no hour of the campaign suits every zone of the number',
	no_callable_day: 'no day within 366 can take the call',
	removed: 'removed by hand',
	dialer_unreachable: 'no dialer accepted it in time',
	no_report: 'its end was never reported',
	campaign_over: 'the campaign was over',
	cancelled: 'cancelled by hand',
}

export const reasonText = (reason: string | null | undefined) => reason ? reasonWords[reason] ?? reason : ''

export interface GateWord {
	name: string
	open: string
	tone: Tone
	// Why it is closed. `at` writes an instant as the page does.
	closed: (gate: Gate, at: (instant: string | null | undefined) => string) => string
}

const until = (gate: Gate, at: (instant: string | null | undefined) => string, verb: string) =>
	gate.opens_at ? ` ${verb} ${at(gate.opens_at)}.` : ''

function closedWindow(gate: Gate, at: (instant: string | null | undefined) => string): string {
	const facts: any = gate.facts.zones?.[0] ?? gate.facts
	const zone = String(facts.timezone ?? '').split('/').pop()?.replace(/_/g, ' ')
	const day = facts.is_excluded_date ? ', a day off' : facts.is_working_day === false ? ', no working day' : ''
	return (facts.local_time ? `Closed: it is ${facts.local_time} in ${zone}${day}.` : 'Closed.') + until(gate, at, 'Opens')
}

const unreadable = ({ facts }: Gate) =>
	`The time zone${facts.unreadable ? ' ' + facts.unreadable : ''} cannot be read on the server${facts.trouble ? `: ${facts.trouble}` : ''}. The calls go on when it can be read.`

function limitText({ facts }: Gate): string {
	if (facts.rest_hours_after_conversation) return `The number rests for ${facts.rest_hours_after_conversation} hours after a conversation.`
	const period = facts.period_days ? `${facts.period_days} days` : facts.period_hours ? `${facts.period_hours} hours` : null
	return period && facts.max_attempts ? `The number was called ${facts.attempts ?? facts.max_attempts} times in ${period}: at most ${facts.max_attempts} are allowed.`
		: 'The limits of the organisation hold the number back.'
}

export const gateWords: Record<GateName, GateWord> = {
	campaign_state: {
		name: 'State of the campaign', open: 'It may call', tone: 'off',
		closed: gate => `The campaign is ${gate.facts.status ?? 'not running'}.`,
	},
	scheduled_start: {
		name: 'Start', open: 'It has started', tone: 'wait', closed: (gate, at) => `Starts ${at(gate.opens_at ?? gate.facts.starts_at)}.`,
	},
	number: { name: 'Number to call from', open: 'There is one', tone: 'bad', closed: () => 'No number is left to call from.' },
	dialer: { name: 'Dialer', open: 'The agent has one', tone: 'bad', closed: () => 'The agent names no dialer.' },
	time_zone: { name: 'Time zone', open: 'It can be read', tone: 'bad', closed: unreadable },
	agent: { name: 'Agent', open: 'It is active', tone: 'bad', closed: () => 'The agent is not active: its dialer has not accepted it.' },
	calling_window: { name: 'Calling hours', open: 'Open now', tone: 'wait', closed: closedWindow },
	daily_cap: {
		name: 'Calls a day', open: 'Not reached', tone: 'wait',
		closed: (gate, at) => `Today's ${gate.facts.max_calls_per_day ?? gate.facts.calls ?? ''} calls are made.` + until(gate, at, 'Goes on'),
	},
	pacing: {
		name: 'Pace of the campaign', open: 'Lets calls through', tone: 'ok',
		closed: (gate, at) => 'Paced:' + (gate.opens_at ? ` the next call goes out ${at(gate.opens_at)}.` : ' the next call waits a moment.'),
	},
	number_pacing: {
		name: 'Pace of the numbers', open: 'Lets calls through', tone: 'ok',
		closed: (gate, at) => {
			const { phone_number: number, next_call_at: next } = gate.facts
			return 'Every number waits for its pace.' + (number && next ? ` ${number} may call ${at(next)}.` : until(gate, at, 'Goes on'))
		},
	},
	free_place: {
		name: 'Calls at once', open: 'There is room', tone: 'ok',
		closed: gate => {
			const { places } = gate.facts
			return places ? `At full capacity: all ${places} places are taken by calls in flight.`
				: 'At full capacity: every place is taken by a call in flight.'
		},
	},
	dialer_health: {
		name: 'The dialer answers', open: 'It answers', tone: 'bad',
		closed: (gate, at) => {
			const { failing_since: since, error } = gate.facts
			return `The dialer does not answer${since ? ' since ' + at(since).replace(/^at /, '') : ''}.` + until(gate, at, 'It is tried again') + (error ? ` “${error}”` : '')
		},
	},
	dialer_room: {
		name: 'The dialer takes calls', open: 'It does', tone: 'bad', closed: () => 'The webhook of the dialer is switched off.',
	},
	dialer_fetch: {
		name: 'The dialer fetches', open: 'It is sent its calls', tone: 'wait', closed: () => 'It waits for the dialer to fetch the call.',
	},
	planned_instant: {
		name: 'Planned time', open: 'Its time has come', tone: 'wait',
		closed: (gate, at) => gate.opens_at ? `The next is planned for ${at(gate.opens_at)}.` : 'It is being planned.',
	},
	do_not_call: {
		name: 'Do-not-call list', open: 'Not listed', tone: 'bad',
		closed: gate => {
			const { reason } = gate.facts
			return 'The number is on the do-not-call list' + (reason ? `: ${reason}` : '.')
		},
	},
	contact_time_zone: { name: 'Time zone of the contact', open: 'It can be read', tone: 'bad', closed: unreadable },
	contact_window: { name: 'Hours in the contact’s zone', open: 'Open now', tone: 'wait', closed: closedWindow },
	contact_limits: {
		name: 'Limits of the organisation', open: 'Not reached', tone: 'wait',
		closed: (gate, at) => limitText(gate) + until(gate, at, 'Free again'),
	},
}

// A page that is older than the server may not know a rule yet.
export const gateWord = (name: string): GateWord => gateWords[name as GateName] ??
	{ name: name.replace(/_/g, ' '), open: 'Open', tone: 'wait', closed: () => `Closed: ${name.replace(/_/g, ' ')}.` }

export const endings = ['completed', 'voicemail', 'no_answer', 'busy', 'failed', 'cancelled'] as const
export type Ending = (typeof endings)[number]
// Final states of contacts, in the order of bars and legends.
export const finals = ['completed', 'voicemail', 'no_answer', 'busy', 'failed', 'skipped', 'cancelled'] as const
export type Final = (typeof finals)[number]
