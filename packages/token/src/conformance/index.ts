export { type AuthServiceReport, type CheckAuthServiceOptions, checkAuthService } from './check-auth-service.ts'
export { type Check, type CheckId, checks } from './checks.ts'
export { formatReport } from './format-report.ts'
