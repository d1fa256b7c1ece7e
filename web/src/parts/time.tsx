// Instants on a page, in the zone that the viewer has chosen for the dashboard: the campaign's, the viewer's or UTC.

import { createContext, useContext, useEffect, useState } from 'react'
import { now } from '../base/api'
import { usePrefs } from '../base/prefs'
import { besideText, instantText, isSameOffset, MY_ZONE, nearText, zoneName } from '../base/time'

// The zone of the campaign that a page is about.
export const CampaignZone = createContext<string | null>(null)

export function useZone(): string {
	const { zone } = usePrefs()
	const campaign = useContext(CampaignZone)
	return zone === 'utc' ? 'UTC' : zone === 'mine' ? MY_ZONE : campaign ?? MY_ZONE
}

// The present time by the server's clock, drawn again at intervals.
export function useNow(ms = 1000): number {
	const [time, setTime] = useState(now)
	useEffect(() => {
		const timer = setInterval(() => {
			if (!document.hidden) setTime(now())
		}, ms)
		return () => clearInterval(timer)
	}, [ms])
	return time
}

// `both`: with the zone's name, and the time in the other zone. `near`: also "in 3 h".
export function Time({ at, both, near, seconds, full, dateOnly }: {
	at: string | null | undefined; both?: boolean; near?: boolean; seconds?: boolean; full?: boolean; dateOnly?: boolean
}) {
	const zone = useZone()
	const campaign = useContext(CampaignZone)
	if (!at) return <>–</>
	const time = now()
	const instant = Date.parse(at)
	const text = instantText(at, zone, { now: time, seconds, full, dateOnly })
	const other = zone !== MY_ZONE ? MY_ZONE : campaign ?? 'UTC'
	const beside = both && !dateOnly && !isSameOffset(instant, zone, other)
	return (
		<time dateTime={at} title={`${new Date(at).toISOString().replace('T', ' ').slice(0, 19)} UTC`}>
			{text}
			{both && <span className="soft"> ({zoneName(zone)}{beside && `; ${besideText(at, other, zone)} ${zoneName(other)}`})</span>}
			{near && nearText(at, time) && <span className="soft"> {nearText(at, time)}</span>}
		</time>
	)
}

// The same as plain text, for sentences: "at 13:14", or "Mon 30 Nov, 09:00".
export function useInstantText(): (at: string | null | undefined) => string {
	const zone = useZone()
	return at => {
		if (!at) return 'later'
		const text = instantText(at, zone, { now: now() })
		return text.length === 5 ? 'at ' + text : text
	}
}
