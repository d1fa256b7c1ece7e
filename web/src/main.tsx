// The table of pages, and the frame around them: signing in, and the message when a page fails.

import { Component, lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { refusals } from './base/api'
import { key, watchIdleness } from './base/key'
import { useObservable } from './base/observable'
import { applyTheme, prefs, usePrefs } from './base/prefs'
import { match, usePlace } from './base/route'
import { leave, resume, session, useSession } from './base/session'
import { Link, PageHead, Skeleton } from './parts/basics'
import { Frame } from './parts/frame'
import { Campaigns } from './pages/campaigns'
import { SignIn } from './pages/signin'

const campaignPages = () => import('./pages/campaign_pages')
const otherPages = () => import('./pages/other_pages')

const Overview = lazy(() => otherPages().then(pages => ({ default: pages.Overview })))
const Campaign = lazy(() => campaignPages().then(pages => ({ default: pages.Campaign })))
const Wizard = lazy(() => campaignPages().then(pages => ({ default: pages.Wizard })))
const Calls = lazy(() => campaignPages().then(pages => ({ default: pages.Calls })))
const OneCall = lazy(() => campaignPages().then(pages => ({ default: pages.OneCall })))
const Contacts = lazy(() => otherPages().then(pages => ({ default: pages.Contacts })))
const OneContact = lazy(() => otherPages().then(pages => ({ default: pages.OneContact })))
const DoNotCall = lazy(() => otherPages().then(pages => ({ default: pages.DoNotCall })))
const Agents = lazy(() => otherPages().then(pages => ({ default: pages.Agents })))
const OneAgent = lazy(() => otherPages().then(pages => ({ default: pages.OneAgent })))
const Numbers = lazy(() => otherPages().then(pages => ({ default: pages.Numbers })))
const Webhooks = lazy(() => otherPages().then(pages => ({ default: pages.Webhooks })))
const OneWebhook = lazy(() => otherPages().then(pages => ({ default: pages.OneWebhook })))
const OneDelivery = lazy(() => otherPages().then(pages => ({ default: pages.OneDelivery })))
const Settings = lazy(() => otherPages().then(pages => ({ default: pages.Settings })))

type Words = Record<string, string>

// The first row that matches the path.
const PAGES: [string, (words: Words) => ReactNode][] = [
	['/', () => <Overview />],
	['/campaigns', () => <Campaigns />],
	['/campaigns/new', () => <Wizard />],
	['/campaigns/:id', ({ id }) => <Campaign id={id} key={id} />],
	['/campaigns/:id/contacts/:position', ({ id, position }) => <Campaign id={id} key={id} tab="contacts" position={position} />],
	['/campaigns/:id/:tab', ({ id, tab }) => ['contacts', 'calls', 'plan', 'edit', 'add', 'history'].includes(tab) ? <Campaign id={id} key={id} tab={tab} /> : <NoPage />],
	['/calls', () => <Calls />],
	['/calls/:id', ({ id }) => <OneCall id={id} key={id} />],
	['/contacts', () => <Contacts folderId={null} />],
	['/contacts/folders/:id', ({ id }) => <Contacts folderId={id} key={id} />],
	['/contacts/:id', ({ id }) => <OneContact id={id} key={id} />],
	['/do-not-call', () => <DoNotCall />],
	['/agents', () => <Agents />],
	['/agents/:id', ({ id }) => <OneAgent id={id} key={id} />],
	['/numbers', () => <Numbers />],
	['/webhooks', () => <Webhooks />],
	['/webhooks/deliveries/:id', ({ id }) => <OneDelivery id={id} key={id} />],
	['/webhooks/:id', ({ id }) => <OneWebhook id={id} key={id} />],
	['/settings/:tab', ({ tab }) => ['audit', 'keys', 'limits', 'view'].includes(tab) ? <Settings tab={tab} key={tab} /> : <NoPage />],
]

function NoPage() {
	return <><PageHead name="No such page" title="There is no such page" /><p><Link to="/">To the overview</Link></p></>
}

function Page() {
	const { path } = usePlace()
	usePrefs() // a change of the zone or of masked numbers draws everything
	for (const [pattern, page] of PAGES) {
		const words = match(pattern, path)
		if (words) return <Guarded key={pattern.split('/').slice(0, 3).join('/')}><Suspense fallback={<Skeleton rows={8} height={32} />}>{page(words)}</Suspense></Guarded>
	}
	return <NoPage />
}

// Shows a message when a page throws an exception, instead of a white page.
class Guarded extends Component<{ children: ReactNode }, { error: Error | null }> {
	state = { error: null as Error | null }
	static getDerivedStateFromError(error: Error) {
		return { error }
	}
	render() {
		if (!this.state.error) return this.props.children
		return (
			<div className="empty">
				<h1>This page failed</h1>
				<p>That is a fault of the dashboard. Your campaigns go on. Please send us this message:</p>
				<pre>{String(this.state.error.message)}</pre>
				<button type="button" className="button primary" onClick={() => location.reload()}>Load the page again</button>
			</div>
		)
	}
}

function App() {
	const [isLooking, setLooking] = useState(true)
	const current = useSession()
	const refused = useObservable(refusals)
	const [wasIn, setWasIn] = useState(false)
	const [isAgain, setAgain] = useState(false)
	useEffect(() => {
		const look = () => {
			resume().then(() => setLooking(false), () => setTimeout(look, 2000))
		}
		look()
	}, [])
	useEffect(() => {
		// Another tab has signed in: its key has come through the channel.
		const stop = key.subscribe(() => {
			if (key.get() && !session.get()) void resume()
		})
		return stop
	}, [])
	useEffect(() => {
		if (current) setWasIn(true)
		if (current) setAgain(false)
	}, [current])
	useEffect(() => {
		if (refused > 0 && session.get()) setAgain(true)
	}, [refused])
	if (isLooking) return <div className="sign-in" aria-busy="true" />
	if (!current) return <SignIn />
	return (
		<>
			<Frame><Page /></Frame>
			{isAgain && wasIn && <SignInOver />}
		</>
	)
}

// A dialog over the page, so that the fields of the page keep their text.
function SignInOver() {
	useEffect(() => {
		document.getElementById('page')?.classList.add('covered')
		return () => document.getElementById('page')?.classList.remove('covered')
	}, [])
	return <div className="over"><SignIn again /></div>
}

applyTheme()
prefs.subscribe(applyTheme)
watchIdleness(leave)
createRoot(document.getElementById('page')!).render(<App />)
