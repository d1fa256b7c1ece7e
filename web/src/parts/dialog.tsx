// Dialogs, by the element of that name: the browser keeps the focus inside and gives it back.

import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { observable, useObservable } from '../base/observable'
import { ErrorText } from './basics'
import { Icon } from './icon'

export function Dialog({ title, onClose, children, foot, wide, className = '', mustAnswer }: {
	title?: ReactNode; onClose: () => void; children: ReactNode; foot?: ReactNode; wide?: boolean; className?: string
	mustAnswer?: boolean
}) {
	const box = useRef<HTMLDialogElement>(null)
	const id = useId()
	useEffect(() => {
		const element = box.current!
		const before = document.activeElement as HTMLElement | null
		element.showModal()
		element.querySelector<HTMLElement>('[data-first]')?.focus()
		return () => {
			element.close()
			if (before?.isConnected) before.focus()
		}
	}, [])
	return (
		<dialog ref={box} className={`dialog ${wide ? 'wide ' : ''}${className}`} aria-labelledby={title ? id : undefined}
			onCancel={event => { event.preventDefault(); if (!mustAnswer) onClose() }}
			onMouseDown={event => { if (event.target === box.current && !mustAnswer) onClose() }}>
			{title && (
				<div className="dialog-head">
					<h2 id={id}>{title}</h2>
					{!mustAnswer && <button type="button" className="button icon small quiet" aria-label="Close" onClick={onClose}><Icon name="close" /></button>}
				</div>
			)}
			{title ? <div className="dialog-body">{children}</div> : children}
			{foot && <div className="dialog-foot">{foot}</div>}
		</dialog>
	)
}

interface Question { title: string; text: ReactNode; verb: string; run: () => Promise<unknown>; isSafe?: boolean }

const question = observable<Question | null>(null)

// Asks before something that cannot be undone. The safe button has the focus.
export function ask(next: Question) {
	question.set(next)
}

export function Questions() {
	const current = useObservable(question)
	return current && <Asked key={current.title} question={current} />
}

function Asked({ question: { title, text, verb, run, isSafe } }: { question: Question }) {
	const [error, setError] = useState<unknown>(null)
	const [isRunning, setRunning] = useState(false)
	const close = () => question.set(null)
	const act = async () => {
		setRunning(true)
		setError(null)
		try {
			await run()
			close()
		} catch (failure) {
			setError(failure)
			setRunning(false)
		}
	}
	return (
		<Dialog title={title} onClose={close} foot={<>
			<button type="button" className="button" data-first onClick={close}>Keep as it is</button>
			<button type="button" className={`button primary ${isSafe ? '' : 'danger'}`} disabled={isRunning} onClick={act}>{isRunning ? 'One moment…' : verb}</button>
		</>}>
			<div className="wrap">{text}</div>
			{error !== null && <p className="bad-text" role="alert"><ErrorText error={error} /></p>}
		</Dialog>
	)
}

// Shows a secret once, until the user says that it is stored.
export function SecretDialog({ title, secret, children, onClose }: { title: string; secret: string; children: ReactNode; onClose: () => void }) {
	const [isStored, setStored] = useState(false)
	const [isCopied, setCopied] = useState(false)
	const text = useRef<HTMLDivElement>(null)
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(secret)
			setCopied(true)
		} catch {
			getSelection()?.selectAllChildren(text.current!)
		}
	}
	return (
		<Dialog title={title} mustAnswer onClose={onClose} foot={<button type="button" className="button primary" disabled={!isStored} onClick={onClose}>Done</button>}>
			<div className="soft">{children}</div>
			<div className="secret" ref={text} tabIndex={0}>{secret}</div>
			<div className="buttons"><button type="button" className="button" data-first onClick={copy}><Icon name="copy" />{isCopied ? 'Copied' : 'Copy'}</button></div>
			<label className="check"><input type="checkbox" checked={isStored} onChange={event => setStored(event.target.checked)} /> I have stored it in a safe place</label>
		</Dialog>
	)
}
