// Shows for some seconds what has just happened, and announces it politely to screen readers.

import { useEffect } from 'react'
import { observable, useObservable } from '../base/observable'
import { messageOf } from './basics'

interface Toast { id: number; text: string; action?: { text: string; run: () => void } }

const toasts = observable<Toast[]>([])
const spoken = observable('')
let last = 0

export function toast(text: string, action?: Toast['action']) {
	toasts.set([...toasts.get().slice(-2), { id: ++last, text, action }])
	announce(text)
}

export function toastError(error: unknown) {
	toast(messageOf(error))
}

export function announce(text: string) {
	spoken.set(spoken.get() === text ? text + '\u00a0' : text)
}

const close = (id: number) => toasts.set(toasts.get().filter(one => one.id !== id))

function ToastLine({ one }: { one: Toast }) {
	useEffect(() => {
		const timer = setTimeout(() => close(one.id), one.action ? 10_000 : 6_000)
		return () => clearTimeout(timer)
	}, [one])
	return (
		<div className="toast">
			<span>{one.text}</span>
			{one.action && <button type="button" onClick={() => { close(one.id); one.action!.run() }}>{one.action.text}</button>}
			<button type="button" aria-label="Close this message" onClick={() => close(one.id)}>✕</button>
		</div>
	)
}

export function Toasts() {
	const shown = useObservable(toasts)
	const said = useObservable(spoken)
	return (
		<>
			<div className="hidden" aria-live="polite" role="status">{said}</div>
			<div className="toasts">{shown.map(one => <ToastLine key={one.id} one={one} />)}</div>
		</>
	)
}
