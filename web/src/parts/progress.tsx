// The progress of a campaign: a bar of contacts that have ended, are in flight, or wait.

import type { BatchCall } from 'api-types'
import { count, share } from '../base/text'
import { contactWords, finals } from '../base/words'

export type Counted = Pick<BatchCall, 'total_contacts' | 'pending' | 'in_progress' | (typeof finals)[number]>

export const doneOf = (campaign: Counted) => finals.reduce((sum, final) => sum + campaign[final], 0)

const partsOf = (campaign: Counted) => [
	...finals.map(final => [final, campaign[final], contactWords[final].text] as const),
	['in_progress', campaign.in_progress, 'in flight'] as const,
]

export function progressText(campaign: Counted): string {
	const parts = partsOf(campaign).filter(([, value]) => value > 0).map(([, value, text]) => `${count(value)} ${text}`)
	const waiting = campaign.pending > 0 ? [`${count(campaign.pending)} waiting`] : []
	return `${count(doneOf(campaign))} of ${count(campaign.total_contacts)} contacts done` + (parts.length + waiting.length ? ': ' + [...parts, ...waiting].join(', ') : '')
}

export function ProgressBar({ campaign, tall }: { campaign: Counted; tall?: boolean }) {
	return (
		<div className={`bar ${tall ? 'tall' : ''}`} role="img" aria-label={progressText(campaign)}>
			{partsOf(campaign).map(([name, value]) => value > 0 &&
				<i key={name} className={name === 'in_progress' ? name : 'end-' + name} style={{ width: `${100 * share(value, campaign.total_contacts)}%` }} />)}
		</div>
	)
}

export function ProgressLegend({ campaign }: { campaign: Counted }) {
	return (
		<ul className="legend">
			{partsOf(campaign).map(([name, value, text]) => value > 0 &&
				<li key={name}><span className={`swatch ${name === 'in_progress' ? name : 'end-' + name}`} />{text} <b>{count(value)}</b></li>)}
			{campaign.pending > 0 && <li><span className="swatch end-waiting" />waiting <b>{count(campaign.pending)}</b></li>}
		</ul>
	)
}
