package entitlement

// LimitMax is the largest limit that a customer can be given: edges count in whole numbers.
const LimitMax = 1_000_000_000_000_000
