name idle LPAR uses less than 1 % of a processor
ipl
wait EZAIN11I
idle 10 1
type D T
wait IEE136I
