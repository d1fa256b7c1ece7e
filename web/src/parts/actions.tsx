// Which actions are allowed in which state of a campaign, with their questions and messages.

import type { BatchCall, BatchCallStatus } from 'api-types'
import { ApiError, change, download } from '../base/api'
import { refresh } from '../base/poll'
import { go } from '../base/route'
import { count, plural } from '../base/text'
import { campaignWords } from '../base/words'
import { Name } from './basics'
import { ask } from './dialog'
import { useAction } from './form'
import { useAway } from './frame'
import { Icon, type IconName } from './icon'
import { toast, toastError } from './toast'

type Verb = 'pause' | 'resume' | 'schedule' | 'cancel' | 'edit' | 'add' | 'delete' | 'copy' | 'again' | 'results'

const ALLOWED: Record<Verb, BatchCallStatus[]> = {
	schedule: ['draft', 'failed'],
	pause: ['scheduled', 'active'],
	resume: ['paused'],
	edit: ['draft', 'scheduled', 'active', 'paused', 'failed'],
	add: ['draft', 'scheduled', 'active', 'paused'],
	cancel: ['scheduled', 'active', 'paused'],
	delete: ['draft', 'completed', 'failed', 'cancelled'],
	copy: ['completed', 'failed', 'cancelled', 'draft', 'scheduled', 'active', 'paused'],
	again: ['completed', 'failed', 'cancelled'],
	results: ['active', 'paused', 'completed', 'failed', 'cancelled'],
}

export const may = (verb: Verb, campaign: Pick<BatchCall, 'status'>) => ALLOWED[verb].includes(campaign.status)

type Brief = Pick<BatchCall, 'id' | 'name' | 'status' | 'in_progress' | 'pending'>

const seen = () => refresh('/batch-calls', '/overview')

async function act(campaign: Brief, verb: 'pause' | 'resume' | 'schedule' | 'cancel'): Promise<BatchCall> {
	try {
		return await change<BatchCall>('POST', `/batch-calls/${campaign.id}/${verb}`)
	} catch (error) {
		if (error instanceof ApiError && error.code === 'invalid_state') {
			await seen()
			throw new ApiError(422, 'invalid_state', `${error.message} Somebody else may have changed it: you now see its present state.`)
		}
		throw error
	} finally {
		void seen()
	}
}

export async function pause(campaign: Brief) {
	const now = await act(campaign, 'pause')
	toast(`Paused. ${now.in_progress === 0 ? 'No call is in flight.' : `${plural(now.in_progress, 'call')} in flight ${now.in_progress === 1 ? 'ends' : 'end'} normally.`}`,
		{ text: 'Resume', run: () => { resume(campaign).catch(toastError) } })
}

export async function resume(campaign: Brief) {
	const now = await act(campaign, 'resume')
	toast(`Resumed: it is ${campaignWords[now.status].text}.`, { text: 'Pause', run: () => { pause(campaign).catch(toastError) } })
}

export async function schedule(campaign: Brief) {
	await act(campaign, 'schedule')
	toast('Scheduled.')
}

export function askCancel(campaign: Brief) {
	ask({
		title: 'Cancel this campaign?', verb: 'Cancel the campaign',
		text: <><p><Name>{campaign.name}</Name></p><p>{plural(campaign.pending, 'contact')} will not be called. Calls in flight end normally. This cannot be undone.</p></>,
		run: async () => {
			await act(campaign, 'cancel')
			toast('Cancelled.')
		},
	})
}

export function askDelete(campaign: Brief & { total_contacts: number }) {
	ask({
		title: 'Delete this campaign?', verb: 'Delete it',
		text: <><p><Name>{campaign.name}</Name></p><p>Its {plural(campaign.total_contacts, 'contact')} and all its calls and figures go with it. This cannot be undone.</p></>,
		run: async () => {
			await change('DELETE', '/batch-calls/' + campaign.id)
			void seen()
			toast('Deleted.')
			go('/campaigns')
		},
	})
}

export async function results(campaign: Pick<BatchCall, 'id' | 'name'>) {
	await download(`/batch-calls/${campaign.id}/results-link`, campaign.name.replace(/[^\p{L}\p{N} ._-]/gu, '_').slice(0, 80) + '.csv', { excel: true })
}

export function ActButton({ run, text, icon, primary, small, keyName, onError = toastError }: {
	run: () => Promise<unknown>; text: string; icon?: IconName; primary?: boolean; small?: boolean; keyName?: string; onError?: (error: unknown) => void
}) {
	const [press, isRunning] = useAction(run, onError)
	const away = useAway()
	return (
		<button type="button" className={`button ${primary ? 'primary ' : ''}${small ? 'small' : ''}`} disabled={isRunning || !!away} title={away} data-key={keyName} onClick={press}>
			{icon && <Icon name={icon} />}{isRunning ? 'One moment…' : text}
		</button>
	)
}

// The one action that a state suggests.
export function PrimaryAction({ campaign, small }: { campaign: BatchCall; small?: boolean }) {
	if (campaign.status === 'draft' && campaign.total_contacts === 0)
		return <button type="button" className={`button primary ${small ? 'small' : ''}`} onClick={() => go(`/campaigns/${campaign.id}/add`)}><Icon name="plus" />Add contacts</button>
	if (may('schedule', campaign)) return <ActButton primary small={small} icon="play" text={campaign.status === 'failed' ? 'Schedule again' : 'Schedule'} run={() => schedule(campaign)} />
	if (may('pause', campaign)) return <ActButton small={small} icon="pause" text="Pause" keyName="p" run={() => pause(campaign)} />
	if (may('resume', campaign)) return <ActButton primary small={small} icon="play" text="Resume" keyName="r" run={() => resume(campaign)} />
	return null
}

export const heldText = (campaign: Pick<BatchCall, 'status_reason' | 'places' | 'max_concurrent_calls'>) =>
	campaign.places < campaign.max_concurrent_calls ? `${count(campaign.places)} (of ${count(campaign.max_concurrent_calls)})` : count(campaign.max_concurrent_calls)
