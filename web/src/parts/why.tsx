// Says why no call is made, or that no rule holds the calls: the first closed rule, what to do about it, and all rules.

import type { BatchCall, CampaignExplanation, Gate, GateName } from 'api-types'
import { useEffect, useRef, type ReactNode } from 'react'
import { count, plural } from '../base/text'
import { gateWord } from '../base/words'
import { ShapeMark } from './icon'
import { useInstantText } from './time'
import { announce } from './toast'

type At = (instant: string | null | undefined) => string

export interface Headline { text: string; tone: 'ok' | 'warn' | 'bad' | 'wait'; gate: GateName | null; isFine?: boolean }

const BROKEN: GateName[] = ['dialer_health', 'dialer_room', 'dialer', 'number', 'agent', 'time_zone', 'contact_time_zone']
const ORDER: GateName[] = ['scheduled_start', 'calling_window', 'contact_window', 'daily_cap', 'pacing', 'number_pacing',
	'contact_limits', 'planned_instant', 'do_not_call', 'campaign_state']

export function headlineOf(campaign: BatchCall, why: CampaignExplanation | null, at: At): Headline {
	const says = (gate: Gate): Headline => {
		const tone = gateWord(gate.gate).tone
		return { text: gateWord(gate.gate).closed(gate, at), tone: tone === 'bad' || tone === 'ok' ? tone : 'wait', gate: gate.gate }
	}
	const { status } = campaign
	if (status === 'draft')
		return { text: campaign.total_contacts === 0 ? 'No contacts yet.' : 'Not scheduled yet.', tone: 'wait', gate: 'campaign_state' }
	if (status === 'paused') return { text: 'Paused.', tone: 'warn', gate: 'campaign_state' }
	if (status === 'failed') return { text: sentence(campaign.status_reason ?? 'It failed'), tone: 'bad', gate: null }
	if (status === 'cancelled') return { text: 'Cancelled.', tone: 'wait', gate: null }
	if (status === 'completed') return { text: 'Every contact has ended.', tone: 'ok', gate: null }
	if (!why) return { text: 'Looking at its rules…', tone: 'wait', gate: null }
	const closed = new Map(why.gates.filter(gate => !gate.open).map(gate => [gate.gate, gate]))
	for (const name of BROKEN) if (closed.has(name)) return says(closed.get(name)!)
	if (why.places > 0 && why.in_progress >= why.places) {
		const slowed = why.places < campaign.max_concurrent_calls ? ` The dialer asked to slow down: ${why.places} of ${campaign.max_concurrent_calls} places.` : ''
		return { text: `At full capacity: ${why.places === 1 ? 'the one place is' : `all ${count(why.places)} places are`} taken by calls in flight.${slowed}`, tone: 'ok', gate: 'free_place' }
	}
	for (const name of ORDER) if (closed.has(name)) return says(closed.get(name)!)
	if (why.in_progress > 0) return { text: 'Calls go out.', tone: 'ok', gate: null, isFine: true }
	if (campaign.status_reason) return { text: sentence(campaign.status_reason), tone: 'wait', gate: null }
	if (why.due_now === 0 && why.next_at) return { text: `The next is planned for ${at(why.next_at)}.`, tone: 'wait', gate: 'planned_instant' }
	return { text: why.due_now > 0 ? `${plural(why.due_now, 'contact')} can be called now: the next calls go out within seconds.` : 'Nothing is due now.', tone: 'ok', gate: null, isFine: true }
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.')

export function WhyPanel({ campaign, why, action, silent }: { campaign: BatchCall; why: CampaignExplanation | null; action?: (gate: GateName | null) => ReactNode; silent?: ReactNode }) {
	const at = useInstantText()
	const headline = headlineOf(campaign, why, at)
	const said = useRef('')
	useEffect(() => {
		// Announced when another rule holds the calls back, not when its instant moves.
		const kind = `${campaign.status} ${headline.gate} ${headline.tone}`
		if (said.current && said.current !== kind) announce(headline.text)
		said.current = kind
	}, [campaign.status, headline.gate, headline.tone])
	const isOver = ['completed', 'failed', 'cancelled'].includes(campaign.status)
	const next = why?.next_at && !isOver && !headline.isFine && headline.gate !== 'free_place' && headline.gate !== 'planned_instant' && headline.gate !== 'pacing'
	return (
		<section className={`card why ${headline.tone}`} aria-label="Why calls do or do not go out">
			<div className="card-body">
				<div className="why-line"><p className="headline">{headline.text}</p>{action?.(headline.gate)}</div>
				{next && <p className="soft">The next call can go out {at(why!.next_at)}.</p>}
				{silent}
				{why && why.gates.length > 0 && !isOver && <Gates gates={why.gates} />}
			</div>
		</section>
	)
}

export function Gates({ gates, isOpen }: { gates: Gate[]; isOpen?: boolean }) {
	const at = useInstantText()
	const closed = gates.filter(gate => !gate.open).length
	return (
		<details open={isOpen}>
			<summary>All {gates.length} rules{closed > 0 ? `, ${closed} closed` : ', all open'}</summary>
			<ul className="gates">
				{gates.map(gate => {
					const word = gateWord(gate.gate)
					return (
						<li key={gate.gate}>
							<span className={gate.open ? 'tone-ok' : word.tone === 'bad' ? 'tone-bad' : 'tone-warn'}><ShapeMark shape={gate.open ? 'dot' : 'cross'} /><span className="hidden">{gate.open ? 'open' : 'closed'}</span></span>
							<span>{word.name}</span>
							<span className="soft wrap">{gate.open ? word.open : word.closed(gate, at)}</span>
						</li>
					)
				})}
			</ul>
		</details>
	)
}
